// Which kernels run on this processor, and which operators use them at all: by tables of measurements (bench/operators.ts), not by a
// trial at start, so that a run that is resumed computes with the same loops to the last bit.
#pragma once
#include <ATen/ATen.h>

#include <string>

#include "kernels.h"

namespace openrs {

enum class Own { SiluMul, AddRmsNorm, PackedAttention, DecodeAttention, Linear, LinearWide, Draw };

// From so many inputs on a linear layer is a wide one.
constexpr int64_t kWideLinear = 512;

// The kernels of the instruction set that libtorch itself has chosen (ATEN_CPU_CAPABILITY sets it by hand).
const KernelTable& kernelTable();

// Whether our loops are the faster ones for so many rows of CPU tensors of this dtype.
bool runsOwn(Own which, at::ScalarType dtype, int64_t rows = 1);

// For tests and measurements: "all" or "none" of them run, or those "measured" to be faster.
void setOwn(const std::string& mode);

// {"kernels": "avx2", "operators": {"linear": {"float32": 8, "bfloat16": 2}, …}}: up to how many rows; null without limit
std::string describeOwn();

}  // namespace openrs
