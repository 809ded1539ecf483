// What the kernels share. NVRTC gets this text in front of each of them: no header but what the compiler knows by itself.

struct bf16 {
  unsigned short bits;
};

__device__ inline float toFloat(float x) { return x; }
__device__ inline float toFloat(bf16 x) { return __uint_as_float(static_cast<unsigned>(x.bits) << 16); }

template <class T>
__device__ T rounded(float x);
template <>
__device__ inline float rounded<float>(float x) {
  return x;
}
// To the nearest, ties to even, as libtorch rounds.
template <>
__device__ inline bf16 rounded<bf16>(float x) {
  if (x != x) return {0x7fc0};
  const unsigned bits = __float_as_uint(x);
  return {static_cast<unsigned short>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)};
}

struct Sum {
  __device__ float operator()(float a, float b) const { return a + b; }
};
struct Max {
  __device__ float operator()(float a, float b) const { return fmaxf(a, b); }
};
struct Least {
  __device__ int operator()(int a, int b) const { return a < b ? a : b; }
};
struct Most {
  __device__ int operator()(int a, int b) const { return a > b ? a : b; }
};

// Over all threads of a block (a multiple of 32, at most 1024), the result to every one; always in the same order.
template <class T, class F>
__device__ T reduce(T x, F combine) {
  __shared__ T partial[32];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32;
  for (int step = 16; step > 0; step /= 2) x = combine(x, __shfl_xor_sync(0xffffffffu, x, step));
  __syncthreads();
  if (lane == 0) partial[warp] = x;
  __syncthreads();
  T all = partial[0];
  for (int i = 1; i < warps; i++) all = combine(all, partial[i]);
  return all;
}

#define NONE 0x7fffffff
#define INF __uint_as_float(0x7f800000u)
