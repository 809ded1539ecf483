// For any processor: what the compiler may assume of this kind of machine (SSE2 on x86-64, NEON on arm64).
#define KERNELS baselineKernels
#include "kernels.inc"
