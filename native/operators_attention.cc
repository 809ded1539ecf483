// Attention on the CPU: over packed sequences with gradients, and of a decode step.
//
// N tokens, B rows, S segments, R trees, H query heads, G key/value heads, K head dimension.
#include <cmath>
#include <vector>

#include "operators.h"

namespace openrs {
namespace {

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
  const int64_t longest = end - *std::min_element(begins, begins + rows), room = decodeScratch(queries / kvHeads, heads.dim, longest);
  const Tensor scratch = at::empty({at::get_num_threads(), room}, at::kFloat);
  withKernels(qkv, [&](const auto& kernels, auto* null) {
    using T = std::remove_pointer_t<decltype(null)>;
    const Rotation<T> rotation{data<T>(cos), data<T>(sin)};
    const Cache<T> cache{data<T>(keys), data<T>(values), columns};
    overRows(rows * kvHeads, longest * heads.dim, [&](int64_t first, int64_t last) {
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

}  // namespace
}  // namespace openrs

TORCH_LIBRARY_FRAGMENT(open_rs, library) {
  library.def(
      "packed_attention(Tensor qkv, Tensor starts, Tensor trees, Tensor cos, Tensor sin, int heads, int kv_heads) -> Tensor",
      openrs::packedAttention);
  library.def(
      "decode_attention(Tensor qkv, Tensor(a!) keys, Tensor(b!) values, Tensor starts, int end, Tensor cos, Tensor sin, int heads) -> Tensor",
      openrs::decodeAttention);
}
