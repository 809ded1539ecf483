// Floats side by side in one register, by libtorch's own layer over the instruction sets (at::vec): 16 with AVX-512, 8 with AVX2,
// 4 with NEON; elsewhere arrays of 8. Included by the kernels only, which are compiled once per instruction set (kernels.cc).
#pragma once
#include <ATen/cpu/vec/functional.h>
#include <ATen/cpu/vec/vec.h>

#include "../kernels.h"

#define OPENRS_INLINE static inline __attribute__((always_inline, unused))

namespace openrs {
namespace {

using Vec = at::vec::Vectorized<float>;

constexpr int64_t kLanes = Vec::size();

// So many sums a block of a product keeps in registers; what they are made from needs some as well.
#if defined(CPU_CAPABILITY_AVX512) || defined(__aarch64__)
constexpr int kSums = 16;
#elif defined(CPU_CAPABILITY_AVX2)
constexpr int kSums = 8;
#else
constexpr int kSums = 4;
#endif

OPENRS_INLINE Vec load(const float* p) { return Vec::loadu(p); }
OPENRS_INLINE Vec load(const BFloat16* p) {
  Vec v;
  at::vec::load_fp32_from_bf16(p, v);
  return v;
}
OPENRS_INLINE void store(float* p, Vec v) { v.store(p); }
OPENRS_INLINE void store(BFloat16* p, Vec v) { at::vec::convert_float_bfloat16(v, v).store(p, kLanes); }

// One number as a vector's code sees it, for what is left beyond the last whole vector.
OPENRS_INLINE void store(float* p, float x) { *p = x; }
OPENRS_INLINE void store(BFloat16* p, float x) { *p = x; }
template <class V, class T>
OPENRS_INLINE V get(const T* p) {
  if constexpr (sizeof(V) == sizeof(float)) return static_cast<float>(*p);
  else return load(p);
}

// What a value is once it has been stored.
OPENRS_INLINE Vec rounded(Vec v, const float*) { return v; }
OPENRS_INLINE Vec rounded(Vec v, const BFloat16*) {
  BFloat16 kept[kLanes];
  store(kept, v);
  return load(kept);
}

OPENRS_INLINE Vec fma(Vec a, Vec b, Vec c) { return at::vec::fmadd(a, b, c); }
OPENRS_INLINE Vec larger(Vec a, Vec b) { return at::vec::maximum(a, b); }
OPENRS_INLINE float sum(Vec v) {
  return at::vec::vec_reduce_all<float>([](const Vec& a, const Vec& b) { return a + b; }, v);
}
OPENRS_INLINE float largest(Vec v) { return at::vec::vec_reduce_all<float>([](const Vec& a, const Vec& b) { return larger(a, b); }, v); }

OPENRS_INLINE void fill(float* x, float value, int64_t from, int64_t to) {
  for (; from < to && from % kLanes != 0; from++) x[from] = value;
  for (; from + kLanes <= to; from += kLanes) store(x + from, Vec(value));
  for (; from < to; from++) x[from] = value;
}

// body(i, V{}) for all of [0, count): V a vector where one fits, a float for what is left.
template <class Body>
OPENRS_INLINE void overLanes(int64_t count, Body body) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) body(i, Vec());
  for (; i < count; i++) body(i, 0.0f);
}

// e^x = 2^n e^r with |r| <= ln 2 / 2 and a polynomial for e^r (the coefficients of Cephes' expf): relative error below 2e-7, where
// at::vec's own fast one has 20 times that. 0 below -87.7, where the exponent's bits are 0; NaN stays NaN.
OPENRS_INLINE Vec exp(Vec x) {
  const Vec y = at::vec::clamp(x, Vec(-88.0f), Vec(88.3f));
  const Vec shift(12582912.0f);  // 1.5 * 2^23: adding it rounds to a whole number, which then is in the lowest bits
  const Vec n = fma(y, Vec(1.44269504088896341f), shift) - shift;
  const Vec r = fma(n, Vec(2.12194440e-4f), fma(n, Vec(-0.693359375f), y));
  Vec p = fma(Vec(1.9875691500e-4f), r, Vec(1.3981999507e-3f));
  p = fma(p, r, Vec(8.3334519073e-3f));
  p = fma(p, r, Vec(4.1665795894e-2f));
  p = fma(p, r, Vec(1.6666665459e-1f));
  p = fma(p, r, Vec(5.0000001201e-1f));
  p = fma(p, r * r, r + Vec(1.0f));
  using Ints = at::vec::Vectorized<int32_t>;
  return p * __builtin_bit_cast(Vec, __builtin_bit_cast(Ints, n + Vec(12582912.0f + 127)) << Ints(23));
}

OPENRS_INLINE Vec sigmoid(Vec x) { return Vec(1.0f) / (Vec(1.0f) + exp(Vec(0.0f) - x)); }

}  // namespace
}  // namespace openrs
