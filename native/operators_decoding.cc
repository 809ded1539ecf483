// What a decode step does besides attention: linear layers of few rows, and drawing a token.
//
// B rows, D hidden size, V vocabulary.
#include "operators.h"

namespace openrs {
namespace {

// -- linear layers --------------------------------------------------------------------------------------------------------------

// x [..., D] @ weight [outs, D] transposed + bias. With few rows, as in decoding, reading the weights is all the work, which libtorch's
// libraries do at a fraction of memory's speed.
Tensor linear(const Tensor& x, const Tensor& weight, const std::optional<Tensor>& maybe) {
  const Tensor bias = maybe.value_or(Tensor());
  const int64_t dim = x.dim() > 0 ? x.size(-1) : 0, rows = dim > 0 ? x.numel() / dim : 0;
  const auto alike = [&](const Tensor& t) { return t.device() == x.device() && t.scalar_type() == x.scalar_type() && t.is_contiguous(); };
  const bool few = known(x) && rows >= 1 && runsOwn(dim < kWideLinear ? Own::Linear : Own::LinearWide, x.scalar_type(), rows) && dim % 16 == 0 && alike(weight) && weight.dim() == 2 && weight.size(1) == dim &&
                   (!bias.defined() || (alike(bias) && bias.dim() == 1 && bias.size(0) == weight.size(0)));
  if (!few || needsGrad(x) || needsGrad(weight) || needsGrad(bias)) return at::linear(x, weight, maybe);
  const Tensor rowsOfX = x.contiguous();
  const int64_t outs = weight.size(0);
  auto shape = x.sizes().vec();
  shape.back() = outs;
  Tensor out = at::empty(shape, x.options());
  withKernels(x, [&](const auto& kernels, auto* null) {
    using T = std::remove_pointer_t<decltype(null)>;
    overRows(outs, dim * rows, [&](int64_t begin, int64_t end) {
      kernels.linear(data<T>(rowsOfX), data<T>(weight), dataOrNull<T>(bias), data<T>(out), rows, dim, outs, begin, end);
    });
  });
  return out;
}

// -- drawing --------------------------------------------------------------------------------------------------------------------

// A token a row of logits [B, V], by inverting the cumulative distribution at uniform [B] (float32, in [0, 1)); those banned (bool,
// [B, V] or [1, V]) are not drawn -> ids int64 [B], log-probability under what was drawn from and under softmax(logits), float32 [B]
std::tuple<Tensor, Tensor, Tensor> draw(const Tensor& given, const Tensor& uniform, double temperature, const std::optional<Tensor>& banned) {
  const Tensor logits = given.contiguous();
  TORCH_CHECK(known(logits) && logits.dim() == 2 && logits.size(1) > 0 && temperature > 0, "draw: CPU logits [B, V] of float32 or bfloat16, temperature > 0");
  const int64_t rows = logits.size(0), vocab = logits.size(1);
  TORCH_CHECK(uniform.device().is_cpu() && uniform.scalar_type() == at::kFloat && uniform.numel() == rows, "draw: one float32 number a row");
  const Tensor ban = banned ? banned->contiguous() : Tensor();
  TORCH_CHECK(
      !ban.defined() || (ban.device().is_cpu() && ban.scalar_type() == at::kBool && ban.dim() == 2 && ban.size(1) == vocab &&
                         (ban.size(0) == rows || ban.size(0) == 1)),
      "draw: banned is bool [B, V] or [1, V]");
  const Tensor numbers = uniform.contiguous();
  Tensor ids = at::empty({rows}, logits.options().dtype(at::kLong));
  Tensor sampling = at::empty({rows}, logits.options().dtype(at::kFloat)), logps = at::empty_like(sampling);
  const int64_t room = (vocab + 63) / 64 * 64;
  const Tensor scratch = at::empty({at::get_num_threads(), room}, at::kFloat);
  withKernels(logits, [&](const auto& kernels, auto* null) {
    using T = std::remove_pointer_t<decltype(null)>;
    overRows(rows, 4 * vocab, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) {
        const bool* mask = ban.defined() ? data<bool>(ban) + (ban.size(0) == 1 ? 0 : row * vocab) : nullptr;
        const Draw how{static_cast<float>(temperature), data<float>(numbers)[row], mask};
        const Drawn drawn = kernels.draw(data<T>(logits) + row * vocab, vocab, how, data<float>(scratch) + at::get_thread_num() * room);
        data<int64_t>(ids)[row] = drawn.id;
        data<float>(sampling)[row] = drawn.samplingLogprob;
        data<float>(logps)[row] = drawn.logprob;
      }
    });
  });
  return {ids, sampling, logps};
}

}  // namespace
}  // namespace openrs

TORCH_LIBRARY_FRAGMENT(open_rs, library) {
  library.def("linear(Tensor x, Tensor weight, Tensor? bias=None) -> Tensor", openrs::linear);
  library.def("draw(Tensor logits, Tensor uniform, float temperature, Tensor? banned=None) -> (Tensor, Tensor, Tensor)", openrs::draw);
}
