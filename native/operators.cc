// Operators of our own, `open_rs::…`, callable like any of libtorch's: on the CPU in float32 and bfloat16 one pass of kernels.h instead of
// many operators, with gradients; silu_mul and add_rms_norm everywhere else what they are made of.
//
// N tokens, B rows, S sequences, D hidden size, I inner size, H query heads, G key/value heads, K head dimension, V vocabulary.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "kernels.h"

namespace openrs {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Of the instruction set that libtorch itself has chosen (ATEN_CPU_CAPABILITY sets it by hand).
const KernelTable& table() {
  static const KernelTable* chosen = [] {
    const std::string capability = at::get_cpu_capability();
    const KernelTable* best = nullptr;
#if defined(__x86_64__)
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                        __builtin_cpu_supports("avx512dq");
    if (capability == "AVX512" && avx512) best = avx512Kernels();
    if (capability == "AVX2" && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) best = avx2Kernels();
#endif
    return best ? best : baselineKernels();
  }();
  return *chosen;
}

bool known(const Tensor& x) { return x.device().is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16); }

// Calls `body` with the kernels of x's dtype and a null pointer of their element type.
template <class F>
void withKernels(const Tensor& x, F body) {
  if (x.scalar_type() == at::kFloat) body(table().float32, static_cast<float*>(nullptr));
  else body(table().bfloat16, static_cast<BFloat16*>(nullptr));
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

bool needsGrad(const Tensor& t) { return t.defined() && at::GradMode::is_enabled() && t.requires_grad(); }

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
  if (!known(gateUp) || gateUp.size(-1) % 32 != 0 || gateUp.numel() == 0) {
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
  const bool fits = known(x) && x.dim() > 0 && x.size(-1) % 16 == 0 && x.numel() > 0 && alike(weight) && weight.is_contiguous() &&
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

// -- attention ------------------------------------------------------------------------------------------------------------------

Heads headsOf(const Tensor& qkv, int64_t heads, int64_t kvHeads) {
  TORCH_CHECK(heads > 0 && kvHeads > 0 && heads % kvHeads == 0, "attention: ", heads, " query heads on ", kvHeads, " key heads");
  const int64_t vectors = heads + 2 * kvHeads, dim = qkv.dim() > 0 ? qkv.size(-1) / vectors : 0;
  TORCH_CHECK(
      known(qkv) && dim > 0 && dim % 16 == 0 && dim * vectors == qkv.size(-1),
      "attention: a CPU tensor [..., (H + 2G) K] of float32 or bfloat16, K a multiple of 16");
  return {heads, kvHeads, dim, 1.0f / std::sqrt(static_cast<float>(dim))};
}

// Tables of cosines and sines that fit qkv.
void checkTables(const Tensor& qkv, const Tensor& cos, const Tensor& sin, const Heads& heads) {
  const auto fits = [&](const Tensor& t) {
    return t.device() == qkv.device() && t.scalar_type() == qkv.scalar_type() && t.dim() == 2 && t.size(1) == heads.dim && t.is_contiguous();
  };
  TORCH_CHECK(fits(cos) && fits(sin) && cos.size(0) == sin.size(0), "attention: tables [positions, K] of the dtype of qkv");
}

float* aligned(const Tensor& scratch) {
  return reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(scratch.data_ptr()) + 63) & ~uintptr_t{63});
}

// What packed_attention works on: segments of tokens [starts[s], starts[s + 1]), the first one of each tree being its root.
struct Packed {
  Tensor qkv, starts, trees, cos, sin;
  Heads heads;

  template <class T>
  Rotation<T> rotation() const {
    return {data<T>(cos), data<T>(sin)};
  }
};

Packed packedOf(const variable_list& in, int64_t queries, int64_t kvHeads) {
  Packed packed{in[0].contiguous(), in[1].contiguous(), in[2].contiguous(), in[3].contiguous(), in[4].contiguous(), headsOf(in[0], queries, kvHeads)};
  const auto isIndex = [](const Tensor& t) { return t.scalar_type() == at::kLong && t.device().is_cpu() && t.dim() == 1 && t.numel() > 1; };
  TORCH_CHECK(isIndex(packed.starts) && isIndex(packed.trees), "packed_attention: starts [S + 1] and trees [R + 1] are int64");
  const int64_t* starts = data<int64_t>(packed.starts);
  const int64_t* trees = data<int64_t>(packed.trees);
  const int64_t segments = packed.starts.numel() - 1, roots = packed.trees.numel() - 1, tokens = packed.qkv.numel() / packed.heads.row();
  TORCH_CHECK(trees[0] == 0 && trees[roots] == segments && std::is_sorted(trees, trees + roots + 1), "packed_attention: trees");
  TORCH_CHECK(starts[0] == 0 && starts[segments] == tokens && std::is_sorted(starts, starts + segments + 1), "packed_attention: starts");
  checkTables(packed.qkv, packed.cos, packed.sin, packed.heads);
  return packed;
}

// One piece of work per tree and query head, shared out so that each thread has about the same number of scores to compute.
template <class F>
void overTrees(const Packed& packed, F body) {
  const int64_t* starts = data<int64_t>(packed.starts);
  const int64_t* trees = data<int64_t>(packed.trees);
  const int64_t roots = packed.trees.numel() - 1, queries = packed.heads.queries;
  std::vector<double> cost{0};
  std::vector<int64_t> longest;
  for (int64_t tree = 0; tree < roots; tree++) {
    const int64_t first = trees[tree], root = trees[tree] == trees[tree + 1] ? 0 : starts[first + 1] - starts[first];
    double scores = 0;
    longest.push_back(1);
    for (int64_t s = first; s < trees[tree + 1]; s++) {
      const int64_t own = starts[s + 1] - starts[s], before = s == first ? 0 : root;
      scores += static_cast<double>(own) * static_cast<double>(own + 2 * before + 64);
      longest.back() = std::max(longest.back(), own + before);
    }
    for (int64_t head = 0; head < queries; head++) cost.push_back(cost.back() + scores);
  }
  const int64_t most = *std::max_element(longest.begin(), longest.end());
  TORCH_CHECK(most <= packed.cos.size(0), "packed_attention: ", most, " positions, the tables have ", packed.cos.size(0));
  const double total = cost.back();
  const int64_t threads = total * static_cast<double>(packed.heads.dim) < 100000 ? 1 : at::get_num_threads();
  const int64_t room = (attentionScratch(most, packed.heads.dim) + 15) / 16 * 16;
  const Tensor scratch = at::empty({threads * room + 16}, at::kFloat);
  at::parallel_for(0, threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t thread = begin; thread < end; thread++) {
      const auto share = [&](int64_t i) {
        const double bound = total * static_cast<double>(i) / static_cast<double>(threads);
        return i == threads ? static_cast<int64_t>(cost.size()) - 1 : std::lower_bound(cost.begin(), cost.end(), bound) - cost.begin();
      };
      for (int64_t task = share(thread); task < share(thread + 1); task++) {
        const int64_t tree = task / queries, segments = trees[tree + 1] - trees[tree];
        if (segments > 0) body(starts + trees[tree], segments, longest[tree], task % queries, aligned(scratch) + thread * room);
      }
    }
  });
}

Tensor packedForward(const Packed& in) {
  auto shape = in.qkv.sizes().vec();
  shape.back() = in.heads.out();
  Tensor out = at::empty(shape, in.qkv.options());
  withKernels(in.qkv, [&](const auto& kernels, auto* null) {
    using T = std::remove_pointer_t<decltype(null)>;
    overTrees(in, [&](const int64_t* starts, int64_t segments, int64_t longest, int64_t head, float* scratch) {
      kernels.attention(data<T>(in.qkv), data<T>(out), starts, segments, longest, head, in.heads, in.template rotation<T>(), scratch);
    });
  });
  return out;
}

struct PackedAttention : torch::autograd::Function<PackedAttention> {
  static Tensor forward(
      AutogradContext* context, const Tensor& qkv, const Tensor& starts, const Tensor& trees, const Tensor& cos, const Tensor& sin,
      int64_t heads, int64_t kvHeads) {
    const Packed in = packedOf({qkv, starts, trees, cos, sin}, heads, kvHeads);
    context->save_for_backward({in.qkv, in.starts, in.trees, in.cos, in.sin});
    context->saved_data["heads"] = heads;
    context->saved_data["kvHeads"] = kvHeads;
    return packedForward(in);
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const Packed in = packedOf(context->get_saved_variables(), context->saved_data["heads"].toInt(), context->saved_data["kvHeads"].toInt());
    const Tensor grad = grads[0].contiguous();
    Tensor out = at::empty_like(in.qkv);
    // Each of the R query heads that share a key head has its own part of that head's gradient, so that all heads can go at once.
    const int64_t rows = in.qkv.numel() / in.heads.row(), R = in.heads.queries / in.heads.keyValues;
    const int64_t stride = rows * in.heads.keyValues * 2 * in.heads.dim;
    const Tensor memory = at::empty({R, stride}, at::kFloat);
    withKernels(in.qkv, [&](const auto& kernels, auto* null) {
      using T = std::remove_pointer_t<decltype(null)>;
      overTrees(in, [&](const int64_t* starts, int64_t segments, int64_t longest, int64_t head, float* scratch) {
        kernels.attentionBackward(
            data<T>(in.qkv), data<T>(grad), data<T>(out), data<float>(memory) + head % R * stride, starts, segments, longest, head, in.heads,
            in.template rotation<T>(), scratch);
      });
      overRows(rows, stride / std::max<int64_t>(1, rows) * R, [&](int64_t begin, int64_t end) {
        kernels.sumMemoryGradients(data<float>(memory), stride, data<T>(out), begin, end, in.heads);
      });
    });
    const Tensor none;
    return {out, none, none, none, none, none, none};
  }
};

// Causal attention of sequences one after the other: qkv [..., (H + 2G) K] with N tokens, not rotated yet -> [..., H K]. Segment s holds
// the tokens [starts[s], starts[s + 1]); tree r the segments [trees[r], trees[r + 1]), of which the first is a sequence's beginning and
// each of the others one way to go on from it. Positions count from a root's beginning in the tables cos and sin [positions, K].
Tensor packedAttention(
    const Tensor& qkv, const Tensor& starts, const Tensor& trees, const Tensor& cos, const Tensor& sin, int64_t heads, int64_t kvHeads) {
  if (needsGrad(qkv)) return PackedAttention::apply(qkv, starts, trees, cos, sin, heads, kvHeads);
  return packedForward(packedOf({qkv, starts, trees, cos, sin}, heads, kvHeads));
}

// One token of each of B rows: its key and value are written to column end - 1 of keys [rows, G, K, columns] and values
// [rows, G, columns, K], then it attends to the columns [starts[row], end) -> [B, H K]. The row's position is end - 1 - start.
Tensor decodeAttention(
    const Tensor& given, const Tensor& keys, const Tensor& values, const Tensor& starts, int64_t end, const Tensor& cos, const Tensor& sin,
    int64_t queries) {
  const Tensor qkv = given.contiguous();
  TORCH_CHECK(qkv.dim() == 2 && keys.dim() == 4 && !needsGrad(qkv), "decode_attention: qkv [B, (H + 2G) K], a cache of four dimensions, no gradients");
  const int64_t kvHeads = keys.size(1), columns = keys.size(3), rows = qkv.size(0);
  const Heads heads = headsOf(qkv, queries, kvHeads);
  checkTables(qkv, cos, sin, heads);
  const auto alike = [&](const Tensor& t) { return t.device() == qkv.device() && t.scalar_type() == qkv.scalar_type() && t.is_contiguous(); };
  const int64_t kept = keys.size(0);
  TORCH_CHECK(
      alike(keys) && alike(values) && keys.sizes() == at::IntArrayRef({kept, kvHeads, heads.dim, columns}) &&
          values.sizes() == at::IntArrayRef({kept, kvHeads, columns, heads.dim}),
      "decode_attention: keys [rows, G, K, columns] and values [rows, G, columns, K]");
  TORCH_CHECK(
      starts.scalar_type() == at::kLong && starts.device().is_cpu() && starts.is_contiguous() && starts.numel() >= rows && kept >= rows && end <= columns,
      "decode_attention: starts int64, one for each row");
  const int64_t* begins = data<int64_t>(starts);
  for (int64_t row = 0; row < rows; row++) {
    const int64_t tokens = end - begins[row];
    TORCH_CHECK(tokens >= 1 && tokens <= cos.size(0) && end - paddedTokens(tokens) >= 0, "decode_attention: row ", row, " starts at ", begins[row]);
  }
  Tensor out = at::empty({rows, heads.out()}, qkv.options());
  if (rows == 0) return out;
  const int64_t room = (queries / kvHeads + 2) * heads.dim + queries / kvHeads * (paddedTokens(columns) + 32);
  const Tensor scratch = at::empty({at::get_num_threads(), room}, at::kFloat);
  withKernels(qkv, [&](const auto& kernels, auto* null) {
    using T = std::remove_pointer_t<decltype(null)>;
    const Rotation<T> rotation{data<T>(cos), data<T>(sin)};
    const Cache<T> cache{data<T>(keys), data<T>(values), columns};
    const int64_t scores = (end - *std::min_element(begins, begins + rows)) * heads.dim;
    overRows(rows * kvHeads, scores, [&](int64_t first, int64_t last) {
      float* own = data<float>(scratch) + at::get_thread_num() * room;
      for (int64_t i = first; i < last; i++) {
        const int64_t row = i / kvHeads;
        kernels.decodeAttention(
            data<T>(qkv) + row * heads.row(), data<T>(out) + row * heads.out(), cache, row, begins[row], end, i % kvHeads, heads, rotation,
            own);
      }
    });
  });
  return out;
}

// -- linear layers --------------------------------------------------------------------------------------------------------------

// x [..., D] @ weight [outs, D] transposed + bias. With few rows, as in decoding, reading the weights is all the work, which libtorch's
// libraries do at a fraction of memory's speed.
Tensor linear(const Tensor& x, const Tensor& weight, const std::optional<Tensor>& maybe) {
  const Tensor bias = maybe.value_or(Tensor());
  const int64_t dim = x.dim() > 0 ? x.size(-1) : 0, rows = dim > 0 ? x.numel() / dim : 0;
  const auto alike = [&](const Tensor& t) { return t.device() == x.device() && t.scalar_type() == x.scalar_type() && t.is_contiguous(); };
  // In bfloat16 oneDNN is the faster one from five rows on (docs/performance.md).
  const int64_t most = x.scalar_type() == at::kFloat ? kFewRows : kFewRows / 2;
  const bool few = known(x) && rows >= 1 && rows <= most && dim % 16 == 0 && alike(weight) && weight.dim() == 2 && weight.size(1) == dim &&
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
  const int64_t room = (vocab + 31) / 16 * 16;
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

TORCH_LIBRARY(open_rs, library) {
  library.def("silu_mul(Tensor gate_up) -> Tensor", openrs::siluMul);
  library.def("add_rms_norm(Tensor x, Tensor? delta, Tensor weight, float eps) -> (Tensor, Tensor)", openrs::addRmsNorm);
  library.def(
      "packed_attention(Tensor qkv, Tensor starts, Tensor trees, Tensor cos, Tensor sin, int heads, int kv_heads) -> Tensor",
      openrs::packedAttention);
  library.def(
      "decode_attention(Tensor qkv, Tensor(a!) keys, Tensor(b!) values, Tensor starts, int end, Tensor cos, Tensor sin, int heads) -> Tensor",
      openrs::decodeAttention);
  library.def("linear(Tensor x, Tensor weight, Tensor? bias=None) -> Tensor", openrs::linear);
  library.def("draw(Tensor logits, Tensor uniform, float temperature, Tensor? banned=None) -> (Tensor, Tensor, Tensor)", openrs::draw);
}
