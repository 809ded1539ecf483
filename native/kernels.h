// Our own loops for the CPU, where libtorch takes many operators for what is one pass over memory. Compiled once per instruction set
// (kernels/kernels.cc); operators.cc divides the work among threads and calls those this machine can run. Plain pointers, no allocation.
//
// D hidden size, I inner size, H query heads, G key/value heads, K head dimension; R = H/G. D, I and K are multiples of 16.
#pragma once
#include <c10/util/BFloat16.h>

#include <cstdint>

namespace openrs {

using c10::BFloat16;

// One row of q, k and v of all heads: [H + 2G, K].
struct Heads {
  int64_t queries, keyValues, dim;
  float scale;  // of the scores, 1/sqrt(K)
  int64_t row() const { return (queries + 2 * keyValues) * dim; }
  int64_t out() const { return queries * dim; }
};

// Cosines and signed sines [positions, K], as src/model/rope.ts makes them.
template <class T>
struct Rotation {
  const T* cos;
  const T* sin;
};

// A layer's keys [rows, G, K, columns] and values [rows, G, columns, K] (src/engine/cache.ts).
template <class T>
struct Cache {
  T* keys;
  T* values;
  int64_t columns;
};

// How tokens are drawn from a row of logits.
struct Draw {
  float temperature;
  float uniform;        // in [0, 1)
  const bool* banned;   // [V], or null
};
struct Drawn {
  int64_t id;
  float samplingLogprob, logprob;
};

template <class T>
struct Kernels {
  // [rows, 2 I], gate and up side by side -> silu(gate) * up [rows, I]
  void (*siluMul)(const T* gateUp, T* out, int64_t rows, int64_t inner);
  void (*siluMulBackward)(const T* gateUp, const T* grad, T* gradGateUp, int64_t rows, int64_t inner);

  // sum = x + delta (delta and sum null: x itself); out = sum / rms(sum) * weight; scales [rows] (or null) get 1 / rms
  void (*addRmsNorm)(const T* x, const T* delta, const T* weight, float eps, T* sum, T* out, float* scales, int64_t rows, int64_t dim);
  // gradX = gradSum (or null: 0) + what comes through the norm; adds to gradWeight [D] (or null)
  void (*rmsNormBackward)(
      const T* x, const T* weight, const float* scales, const T* gradOut, const T* gradSum, T* gradX, float* gradWeight, int64_t rows,
      int64_t dim);

  // Causal attention of one tree and one query head, from and to rows as in Heads; q and k not rotated yet. `starts` [segments + 1]
  // says where in the rows the tree's segments are: its root, whose positions begin at 0, and others that each continue the root alone.
  // scratch: attentionScratch(longest, K) floats, 64-byte aligned; longest: of the root with any of the others
  void (*attention)(
      const T* qkv, T* out, const int64_t* starts, int64_t segments, int64_t longest, int64_t head, Heads heads, Rotation<T> rotation,
      float* scratch);
  // The query's gradient goes into its place in gradQkv, what this head adds to those of key and value into gradMemory, [rows, G, 2, K].
  void (*attentionBackward)(
      const T* qkv, const T* gradOut, T* gradQkv, float* gradMemory, const int64_t* starts, int64_t segments, int64_t longest, int64_t head,
      Heads heads, Rotation<T> rotation, float* scratch);
  // Those gradients of the rows [begin, end), summed over R such parts that lie `stride` floats apart, into their places in gradQkv.
  void (*sumMemoryGradients)(const float* gradMemory, int64_t stride, T* gradQkv, int64_t begin, int64_t end, Heads heads);

  // The newest token of one cache row, column `end` - 1, and one key/value head: its key and value go into the cache, its queries
  // see the columns [start, end). At least 15 columns lie before start. scratch: decodeScratch(R, K, end - start) floats
  void (*decodeAttention)(
      const T* qkv, T* out, Cache<T> cache, int64_t row, int64_t start, int64_t end, int64_t group, Heads heads, Rotation<T> rotation,
      float* scratch);

  // out [rows, outs] = x [rows, dim] @ weight [outs, dim] transposed + bias [outs] (or null), for the outs [begin, end); rows <= kFewRows
  void (*linear)(const T* x, const T* weight, const T* bias, T* out, int64_t rows, int64_t dim, int64_t outs, int64_t begin, int64_t end);

  // One row of logits [V]; scratch: V + 63 floats
  Drawn (*draw)(const T* logits, int64_t vocab, Draw how, float* scratch);
};

struct KernelTable {
  Kernels<float> float32;
  Kernels<BFloat16> bfloat16;
};

// Those of each kind of machine: any (SSE2 on x86-64, NEON on arm64), and x86-64 with AVX2 or AVX-512, not to be called elsewhere.
const KernelTable& baselineKernels();
#if defined(__x86_64__)
const KernelTable& avx2Kernels();
const KernelTable& avx512Kernels();
#endif

// Up to so many rows a linear layer reads its weights and does little else.
constexpr int64_t kFewRows = 8;

// Floats that the attention kernels need beside their arguments: six matrices of a head (keys, values, both transposed, and their
// gradients), and for a block of queries the scores, their gradients and some vectors.
constexpr int64_t kQueries = 4;
constexpr int64_t paddedTokens(int64_t tokens) { return (tokens + 15) / 16 * 16; }
constexpr int64_t attentionScratch(int64_t tokens, int64_t dim) {
  return 6 * paddedTokens(tokens) * dim + 2 * kQueries * paddedTokens(tokens) + 4 * kQueries * dim;
}
// The queries of one key head, its new key, and of at most kQueries of them the scores and the outputs.
constexpr int64_t decodeScratch(int64_t queries, int64_t dim, int64_t tokens) {
  return (queries + 1 + kQueries) * dim + kQueries * paddedTokens(tokens);
}

}  // namespace openrs
