// What the operators of our own share: which kernels run, on what, and how rows are divided among threads.
#pragma once
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <algorithm>
#include <optional>

#include "choice.h"

namespace openrs {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

inline bool known(const Tensor& x) { return x.device().is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16); }

// Calls `body` with the kernels of x's dtype and a null pointer of their element type.
template <class F>
void withKernels(const Tensor& x, F body) {
  if (x.scalar_type() == at::kFloat) body(kernelTable().float32, static_cast<float*>(nullptr));
  else body(kernelTable().bfloat16, static_cast<BFloat16*>(nullptr));
}

template <class T>
T* data(const Tensor& t) {
  return static_cast<T*>(t.data_ptr());
}
template <class T>
T* dataOrNull(const Tensor& t) {
  return t.defined() ? data<T>(t) : nullptr;
}

// Rows [begin, end) to each thread; few enough threads that each has something to do.
template <class F>
void overRows(int64_t rows, int64_t rowSize, F body) {
  constexpr int64_t kGrain = 16384;
  at::parallel_for(0, rows, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, rowSize)), body);
}

inline bool needsGrad(const Tensor& t) { return t.defined() && at::GradMode::is_enabled() && t.requires_grad(); }

}  // namespace openrs
