// Between the linear layers: silu_mul, add_rms_norm, and the rotation of q and k with the cache writes of a decode step.

// gate_up [rows, 2 I], gate first -> out [rows, I]: silu(gate) * up. Threads over rows * I.
template <class T>
__global__ void siluMul(const T* gateUp, T* out, long long rows, long long inner) {
  const long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= rows * inner) return;
  const long long row = i / inner, column = i % inner;
  const float gate = toFloat(gateUp[row * 2 * inner + column]), up = toFloat(gateUp[row * 2 * inner + inner + column]);
  out[i] = rounded<T>(gate / (1.0f + expf(-gate)) * up);
}

// sum = x + delta (not written where there is no delta); out = sum / sqrt(mean(sum^2) + eps) * weight. A block per row.
template <class T>
__global__ void addRmsNorm(const T* x, const T* delta, const T* weight, T* sum, T* out, long long dim, float eps) {
  const long long start = static_cast<long long>(blockIdx.x) * dim;
  const T* row = delta ? sum + start : x + start;
  float squares = 0.0f;
  for (long long i = threadIdx.x; i < dim; i += blockDim.x) {
    T value = x[start + i];
    if (delta) {
      value = rounded<T>(toFloat(value) + toFloat(delta[start + i]));
      sum[start + i] = value;
    }
    squares += toFloat(value) * toFloat(value);
  }
  const float scale = rsqrtf(reduce(squares, Sum()) / static_cast<float>(dim) + eps);
  // Each thread reads again what it wrote itself.
  for (long long i = threadIdx.x; i < dim; i += blockDim.x) out[start + i] = rounded<T>(toFloat(row[i]) * scale * toFloat(weight[i]));
}

// One decode step of a paged cache: qkv [B, H + 2 G, K], not rotated. q is turned by its row's position and written to `queries`
// [B, H, K]; k, turned too, and v go to the row's slot of keys and values [N, S, G, K]. The first half of sin is negative (rope.ts).
// blocks: [B, W]. A block of threads per row and head, a thread per dimension.
template <class T>
__global__ void rotateAndStore(
    const T* qkv, const long long* positions, const int* blocks, const T* cos, const T* sin, T* queries, T* keys, T* values, long long heads,
    long long kvHeads, long long width, long long blockSize) {
  const long long dim = blockDim.x, row = blockIdx.x, head = blockIdx.y, k = threadIdx.x;
  const long long position = positions[row];
  const T* x = qkv + (row * (heads + 2 * kvHeads) + head) * dim;
  T value = x[k];
  if (head < heads + kvHeads) {
    const float partner = toFloat(x[(k + dim / 2) % dim]);
    value = rounded<T>(toFloat(value) * toFloat(cos[position * dim + k]) + partner * toFloat(sin[position * dim + k]));
  }
  if (head < heads) {
    queries[(row * heads + head) * dim + k] = value;
    return;
  }
  const long long slot = blocks[row * width + position / blockSize] * blockSize + position % blockSize;
  const bool isKey = head < heads + kvHeads;
  const long long group = head - heads - (isKey ? 0 : kvHeads);
  (isKey ? keys : values)[(slot * kvHeads + group) * dim + k] = value;
}
