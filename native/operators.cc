// Operators of our own, `open_rs::…`, callable like any of libtorch's: on the CPU in float32 and bfloat16 one pass of kernels.h instead of
// many operators, with gradients; silu_mul and add_rms_norm everywhere else what they are made of.
//
// Here the two between linear layers. I: inner size.
#include "operators.h"

namespace openrs {

namespace {

// -- silu_mul -------------------------------------------------------------------------------------------------------------------

Tensor siluMulForward(const Tensor& given) {
  const Tensor gateUp = given.contiguous();
  const int64_t inner = gateUp.size(-1) / 2, rows = gateUp.numel() / (2 * inner);
  auto shape = gateUp.sizes().vec();
  shape.back() = inner;
  Tensor out = at::empty(shape, gateUp.options());
  withKernels(gateUp, [&](const auto& kernels, auto* null) {
    using T = std::remove_pointer_t<decltype(null)>;
    overRows(rows, 4 * inner, [&](int64_t begin, int64_t end) {
      kernels.siluMul(data<T>(gateUp) + 2 * inner * begin, data<T>(out) + inner * begin, end - begin, inner);
    });
  });
  return out;
}

struct SiluMul : torch::autograd::Function<SiluMul> {
  static Tensor forward(AutogradContext* context, const Tensor& gateUp) {
    context->save_for_backward({gateUp});
    return siluMulForward(gateUp);
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const Tensor gateUp = context->get_saved_variables()[0].contiguous(), grad = grads[0].contiguous();
    const int64_t inner = gateUp.size(-1) / 2, rows = gateUp.numel() / (2 * inner);
    Tensor out = at::empty_like(gateUp);
    withKernels(gateUp, [&](const auto& kernels, auto* null) {
      using T = std::remove_pointer_t<decltype(null)>;
      overRows(rows, 8 * inner, [&](int64_t begin, int64_t end) {
        kernels.siluMulBackward(
            data<T>(gateUp) + 2 * inner * begin, data<T>(grad) + inner * begin, data<T>(out) + 2 * inner * begin, end - begin, inner);
      });
    });
    return {out};
  }
};

// silu(gate) * up of [..., 2 I], gate first -> [..., I]
Tensor siluMul(const Tensor& gateUp) {
  TORCH_CHECK(gateUp.dim() > 0 && gateUp.size(-1) % 2 == 0, "silu_mul: the last dimension holds gate and up, so it is even");
  if (!known(gateUp) || !runsOwn(Own::SiluMul, gateUp.scalar_type()) || gateUp.size(-1) % 32 != 0 || gateUp.numel() == 0) {
    auto parts = gateUp.chunk(2, -1);
    return at::silu(parts[0]).mul(parts[1]);
  }
  return needsGrad(gateUp) ? SiluMul::apply(gateUp) : siluMulForward(gateUp);
}

// -- add_rms_norm ---------------------------------------------------------------------------------------------------------------

struct Normed {
  Tensor sum, out, scales;
};

Normed addRmsNormForward(const Tensor& x, const Tensor& delta, const Tensor& weight, double eps, bool keepScales) {
  const int64_t dim = x.size(-1), rows = x.numel() / dim;
  Normed result{delta.defined() ? at::empty_like(x) : x, at::empty_like(x), {}};
  if (keepScales) result.scales = at::empty({rows}, x.options().dtype(at::kFloat));
  withKernels(x, [&](const auto& kernels, auto* null) {
    using T = std::remove_pointer_t<decltype(null)>;
    overRows(rows, 4 * dim, [&](int64_t begin, int64_t end) {
      const int64_t at = begin * dim;
      kernels.addRmsNorm(
          data<T>(x) + at, delta.defined() ? data<T>(delta) + at : nullptr, data<T>(weight), static_cast<float>(eps),
          delta.defined() ? data<T>(result.sum) + at : nullptr, data<T>(result.out) + at,
          keepScales ? data<float>(result.scales) + begin : nullptr, end - begin, dim);
    });
  });
  return result;
}

struct AddRmsNorm : torch::autograd::Function<AddRmsNorm> {
  static variable_list forward(
      AutogradContext* context, const Tensor& x, const std::optional<Tensor>& maybe, const Tensor& weight, double eps) {
    const Tensor delta = maybe.value_or(Tensor());
    Normed normed = addRmsNormForward(x, delta, weight, eps, true);
    context->save_for_backward({normed.sum, weight, normed.scales});
    context->saved_data["delta"] = delta.defined();
    context->set_materialize_grads(false);
    if (!delta.defined()) return {normed.out};
    return {normed.sum, normed.out};
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const Tensor &sum = saved[0], &weight = saved[1], &scales = saved[2];
    const bool added = context->saved_data["delta"].toBool();
    const Tensor gradSum = added && grads[0].defined() ? grads[0].contiguous() : Tensor();
    const Tensor gradOut = grads.back().defined() ? grads.back().contiguous() : at::zeros_like(sum);
    // Counted without a delta that is not there.
    const bool forWeight = context->needs_input_grad(added ? 2 : 1);
    const int64_t dim = sum.size(-1), rows = sum.numel() / dim;
    Tensor gradX = at::empty_like(sum);
    const Tensor gradWeight = forWeight ? at::zeros({at::get_num_threads(), dim}, scales.options()) : Tensor();
    withKernels(sum, [&](const auto& kernels, auto* null) {
      using T = std::remove_pointer_t<decltype(null)>;
      overRows(rows, 8 * dim, [&](int64_t begin, int64_t end) {
        const int64_t at = begin * dim;
        kernels.rmsNormBackward(
            data<T>(sum) + at, data<T>(weight), data<float>(scales) + begin, data<T>(gradOut) + at,
            gradSum.defined() ? data<T>(gradSum) + at : nullptr, data<T>(gradX) + at,
            forWeight ? data<float>(gradWeight) + at::get_thread_num() * dim : nullptr, end - begin, dim);
      });
    });
    const Tensor none;
    return {gradX, added ? gradX : none, forWeight ? gradWeight.sum(0).to(weight.scalar_type()) : none, none};
  }
};

// sum = x + delta (or x) and sum / sqrt(mean(sum^2) + eps) * weight over the last dimension (Zhang & Sennrich 2019)
std::tuple<Tensor, Tensor> addRmsNorm(const Tensor& x, const std::optional<Tensor>& maybe, const Tensor& weight, double eps) {
  const Tensor delta = maybe.value_or(Tensor());
  const auto alike = [&](const Tensor& t) { return t.device() == x.device() && t.scalar_type() == x.scalar_type(); };
  const bool fits = known(x) && runsOwn(Own::AddRmsNorm, x.scalar_type()) && x.dim() > 0 && x.size(-1) % 16 == 0 && x.numel() > 0 && alike(weight) && weight.is_contiguous() &&
                    weight.dim() == 1 && weight.size(0) == x.size(-1) && (!delta.defined() || (delta.sizes() == x.sizes() && alike(delta)));
  if (!fits) {
    const Tensor sum = delta.defined() ? x.add(delta) : x;
    return {sum, at::rms_norm(sum, weight.sizes(), weight, eps)};
  }
  const Tensor left = x.contiguous(), right = delta.defined() ? delta.contiguous() : delta;
  if (needsGrad(x) || needsGrad(delta) || needsGrad(weight)) {
    const variable_list out = AddRmsNorm::apply(left, delta.defined() ? std::optional(right) : std::nullopt, weight, eps);
    return {delta.defined() ? out[0] : x, out.back()};
  }
  Normed normed = addRmsNormForward(left, right, weight, eps, false);
  return {delta.defined() ? normed.sum : x, normed.out};
}

}  // namespace
}  // namespace openrs

TORCH_LIBRARY(open_rs, library) {
  library.def("silu_mul(Tensor gate_up) -> Tensor", openrs::siluMul);
  library.def("add_rms_norm(Tensor x, Tensor? delta, Tensor weight, float eps) -> (Tensor, Tensor)", openrs::addRmsNorm);
}
