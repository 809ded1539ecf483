// Sixteen floats at a time, in the compiler's own vector types: one register with AVX-512, two with AVX2, four elsewhere.
// Included by the kernels only, which are compiled once per instruction set: nothing here may come from the standard library, whose
// inline functions would then be compiled for a processor that is perhaps not this one.
#pragma once
#include <cstdint>

#include "kernels.h"

namespace openrs {
namespace {

constexpr int64_t kLanes = 16;

typedef float Floats __attribute__((vector_size(64)));
typedef int32_t Ints __attribute__((vector_size(64)));
typedef uint32_t Words __attribute__((vector_size(64)));
typedef uint16_t Halves __attribute__((vector_size(32)));

#define OPENRS_INLINE static inline __attribute__((always_inline, unused))

OPENRS_INLINE Floats splat(float x) { return Floats{} + x; }

template <class To, class From>
OPENRS_INLINE To bits(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  __builtin_memcpy(&to, &from, sizeof(To));
  return to;
}

OPENRS_INLINE Floats load(const float* p) {
  Floats v;
  __builtin_memcpy(&v, p, sizeof(v));
  return v;
}

OPENRS_INLINE Floats load(const BFloat16* p) {
  Halves h;
  __builtin_memcpy(&h, p, sizeof(h));
  return bits<Floats>(__builtin_convertvector(h, Words) << 16);
}

OPENRS_INLINE void store(float* p, Floats v) { __builtin_memcpy(p, &v, sizeof(v)); }

// Rounds to the nearest, ties to even; a NaN stays one.
OPENRS_INLINE void store(BFloat16* p, Floats v) {
  Words w = bits<Words>(v);
  Words rounded = (w + 0x7fff + ((w >> 16) & 1)) >> 16;
  rounded = v == v ? rounded : Words{} + 0x7fc0;
  Halves h = __builtin_convertvector(rounded, Halves);
  __builtin_memcpy(p, &h, sizeof(h));
}

OPENRS_INLINE float load1(const float* p) { return *p; }
OPENRS_INLINE float load1(const BFloat16* p) { return bits<float>(static_cast<uint32_t>(p->bits) << 16); }
OPENRS_INLINE void store1(float* p, float x) { *p = x; }
OPENRS_INLINE void store1(BFloat16* p, float x) {
  uint32_t w = bits<uint32_t>(x);
  p->bits = static_cast<uint16_t>(x == x ? (w + 0x7fff + ((w >> 16) & 1)) >> 16 : 0x7fc0);
}

// What a value is once it has been stored.
OPENRS_INLINE Floats rounded(Floats v, const float*) { return v; }
OPENRS_INLINE Floats rounded(Floats v, const BFloat16*) {
  BFloat16 kept[kLanes];
  store(kept, v);
  return load(kept);
}

// Every lane with every other, by halves. (GCC has __builtin_shufflevector from 12 on only.)
#if defined(__clang__)
#define OPENRS_HALVE(v, a, b, c, d, e, f, g, h) \
  __builtin_shufflevector(v, v, a, b, c, d, e, f, g, h, a, b, c, d, e, f, g, h)
#else
#define OPENRS_HALVE(v, a, b, c, d, e, f, g, h) __builtin_shuffle(v, Ints{a, b, c, d, e, f, g, h, a, b, c, d, e, f, g, h})
#endif

OPENRS_INLINE float sum(Floats v) {
  v += OPENRS_HALVE(v, 8, 9, 10, 11, 12, 13, 14, 15);
  v += OPENRS_HALVE(v, 4, 5, 6, 7, 4, 5, 6, 7);
  v += OPENRS_HALVE(v, 2, 3, 2, 3, 2, 3, 2, 3);
  return v[0] + v[1];
}

OPENRS_INLINE Floats larger(Floats a, Floats b) { return a > b ? a : b; }

OPENRS_INLINE float largest(Floats v) {
  v = larger(v, OPENRS_HALVE(v, 8, 9, 10, 11, 12, 13, 14, 15));
  v = larger(v, OPENRS_HALVE(v, 4, 5, 6, 7, 4, 5, 6, 7));
  v = larger(v, OPENRS_HALVE(v, 2, 3, 2, 3, 2, 3, 2, 3));
  return v[0] > v[1] ? v[0] : v[1];
}

// e^x = 2^n e^r with |r| <= ln 2 / 2 and a polynomial for e^r (the coefficients of Cephes' expf): relative error below 2e-7.
// 0 below -87.3, NaN stays NaN.
OPENRS_INLINE Floats exp(Floats x) {
  const Floats lowest = splat(-87.3f), highest = splat(88.3f);
  Floats y = x < lowest ? lowest : x;
  y = y > highest ? highest : y;
  const Floats shift = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to a whole number
  const Floats n = (y * 1.44269504088896341f + shift) - shift;
  const Floats r = y - n * 0.693359375f + n * 2.12194440e-4f;
  Floats p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const Ints power = (__builtin_convertvector(n, Ints) + 127) << 23;
  return x < lowest ? Floats{} : p * bits<Floats>(power);
}

OPENRS_INLINE Floats sigmoid(Floats x) { return 1.0f / (1.0f + exp(-x)); }

}  // namespace
}  // namespace openrs
