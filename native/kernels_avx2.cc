// For x86-64 with AVX2; not to be called elsewhere.
#define KERNELS avx2Kernels
// Before the target: what has external linkage must not be compiled for it.
#include "kernels.h"
#if defined(__x86_64__) && defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "kernels.inc"
#pragma clang attribute pop
#elif defined(__x86_64__)
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#include "kernels.inc"
#pragma GCC pop_options
#else
const openrs::KernelTable* openrs::avx2Kernels() { return nullptr; }
#endif
