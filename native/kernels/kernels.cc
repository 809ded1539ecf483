// All kernels for one instruction set: scripts/lib/instruction-sets.mjs compiles this file once for each, with its flags, at::vec's name for it
// (CPU_CAPABILITY) and the name of what is exported (KERNELS). As in libtorch itself; that no function compiled here takes the place of
// one of the same name elsewhere is what test/torch/instruction-sets.test.ts is for.
#include "vector.h"

namespace openrs {
namespace {

#include "between.inc"
#include "products.inc"
#include "attention.inc"
#include "decoding.inc"

template <class T>
constexpr Kernels<T> kernels() {
  return {siluMul<T>,           siluMulBackward<T>, addRmsNorm<T>,      rmsNormBackward<T>, attention<T>,
          attentionBackward<T>, sumMemoryGradients<T>, decodeAttention<T>, linear<T>,          draw<T>};
}

}  // namespace

const KernelTable& KERNELS() {
  static constexpr KernelTable table{kernels<float>(), kernels<BFloat16>()};
  return table;
}

}  // namespace openrs
