// The kernels of one instruction set against plain loops in double precision, without libtorch or Node: scripts/test-kernels.mjs builds
// and runs it, also for arm64 under an emulator. Prints the largest error of each as a part of the largest value; exit code 1 above 1e-5
// (2e-2 in bfloat16).
#include "../kernels.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

namespace openrs {
const KernelTable& KERNELS();
namespace {

std::mt19937 numbers(1);
int failures = 0;

// Random numbers as T holds them, 64-byte aligned where the kernels ask for it.
template <class T>
std::vector<T> random(int64_t count, float size = 1) {
  std::normal_distribution<float> normal(0, size);
  std::vector<T> out(static_cast<size_t>(count));
  for (T& x : out) x = normal(numbers);
  return out;
}

struct Worst {
  double error = 0, size = 1e-6;
  void add(double x, double expected) {
    error = std::max(error, std::isfinite(x) ? std::abs(x - expected) : INFINITY);
    size = std::max(size, std::abs(expected));
  }
};

template <class T>
void report(const char* kernel, const std::string& shape, const Worst& worst) {
  const double relative = worst.error / worst.size, bound = sizeof(T) == 4 ? 1e-5 : 2e-2;
  if (relative <= bound) return;
  failures++;
  std::printf("FAILED %s, %s, %s: error %.2e\n", kernel, sizeof(T) == 4 ? "float32" : "bfloat16", shape.c_str(), relative);
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

template <class T>
void testSiluMul(const Kernels<T>& kernels, int64_t rows, int64_t inner) {
  const auto x = random<T>(rows * 2 * inner, 3), grad = random<T>(rows * inner);
  std::vector<T> out(static_cast<size_t>(rows * inner)), back(x.size());
  kernels.siluMul(x.data(), out.data(), rows, inner);
  kernels.siluMulBackward(x.data(), grad.data(), back.data(), rows, inner);
  Worst forward, backward;
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t i = 0; i < inner; i++) {
      const int64_t at = r * 2 * inner + i;
      const double gate = x[at], up = x[at + inner], s = sigmoid(gate), g = grad[r * inner + i];
      forward.add(out[r * inner + i], gate * s * up);
      backward.add(back[at], g * up * s * (1 + gate * (1 - s)));
      backward.add(back[at + inner], g * gate * s);
    }
  }
  report<T>("siluMul", std::to_string(inner), forward);
  report<T>("siluMulBackward", std::to_string(inner), backward);
}

template <class T>
void testNorm(const Kernels<T>& kernels, int64_t rows, int64_t dim) {
  const auto x = random<T>(rows * dim), delta = random<T>(rows * dim), weight = random<T>(dim), grad = random<T>(rows * dim);
  std::vector<T> sum(x.size()), out(x.size()), back(x.size());
  std::vector<float> scales(static_cast<size_t>(rows)), gradWeight(static_cast<size_t>(dim));
  kernels.addRmsNorm(x.data(), delta.data(), weight.data(), 1e-5f, sum.data(), out.data(), scales.data(), rows, dim);
  kernels.rmsNormBackward(sum.data(), weight.data(), scales.data(), grad.data(), delta.data(), back.data(), gradWeight.data(), rows, dim);
  Worst forward, backward, byWeight;
  std::vector<double> expectedWeight(static_cast<size_t>(dim));
  for (int64_t r = 0; r < rows; r++) {
    double squares = 0, along = 0;
    for (int64_t i = r * dim; i < (r + 1) * dim; i++) squares += double(sum[i]) * sum[i];
    const double scale = 1 / std::sqrt(squares / dim + 1e-5);
    for (int64_t i = 0; i < dim; i++) along += double(grad[r * dim + i]) * weight[i] * sum[r * dim + i] * scale;
    for (int64_t i = 0; i < dim; i++) {
      const int64_t at = r * dim + i;
      const double n = sum[at] * scale;
      forward.add(sum[at], double(x[at]) + delta[at]);
      forward.add(out[at], n * weight[i]);
      backward.add(back[at], scale * (double(grad[at]) * weight[i] - n * along / dim) + delta[at]);
      expectedWeight[i] += grad[at] * n;
    }
  }
  for (int64_t i = 0; i < dim; i++) byWeight.add(gradWeight[i], expectedWeight[i]);
  report<T>("addRmsNorm", std::to_string(dim), forward);
  report<T>("rmsNormBackward", std::to_string(dim), backward);
  report<T>("rmsNormBackward by weight", std::to_string(dim), byWeight);
}

template <class T>
void testLinear(const Kernels<T>& kernels, int64_t rows, int64_t dim, int64_t outs) {
  const auto x = random<T>(rows * dim), weight = random<T>(outs * dim), bias = random<T>(outs);
  std::vector<T> out(static_cast<size_t>(rows * outs));
  kernels.linear(x.data(), weight.data(), bias.data(), out.data(), rows, dim, outs, 0, outs);
  Worst worst;
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t o = 0; o < outs; o++) {
      double expected = bias[o];
      for (int64_t i = 0; i < dim; i++) expected += double(x[r * dim + i]) * weight[o * dim + i];
      worst.add(out[r * outs + o], expected);
    }
  }
  report<T>("linear", std::to_string(rows) + " rows, " + std::to_string(dim), worst);
}

template <class T>
void testDraw(const Kernels<T>& kernels, int64_t vocab) {
  const auto logits = random<T>(vocab, 3);
  std::vector<float> scratch(static_cast<size_t>(vocab + 63));
  Worst worst;
  for (const float uniform : {0.0f, 0.3f, 0.7f, 0.999999f}) {
    const Drawn drawn = kernels.draw(logits.data(), vocab, {0.7f, uniform, nullptr}, scratch.data());
    double whole = 0, before = 0, plain = 0;
    for (int64_t i = 0; i < vocab; i++) whole += std::exp(logits[i] / 0.7), plain += std::exp(double(logits[i]));
    for (int64_t i = 0; i < drawn.id; i++) before += std::exp(logits[i] / 0.7) / whole;
    const double p = std::exp(logits[drawn.id] / 0.7) / whole;
    if (uniform < before - 1e-5 || uniform > before + p + 1e-5) worst.error = INFINITY;
    worst.add(drawn.samplingLogprob, std::log(p));
    worst.add(drawn.logprob, logits[drawn.id] - std::log(plain));
  }
  report<T>("draw", std::to_string(vocab), worst);
}

float* aligned(std::vector<float>& scratch) {
  return reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(scratch.data()) + 63) & ~uintptr_t{63});
}

// What attention works on: the queries, keys and values of `tokens` positions of one sequence, and the tables.
template <class T>
struct Sequence {
  Heads heads;
  std::vector<T> qkv, cos, sin;

  Sequence(int64_t tokens, int64_t queries, int64_t keyValues, int64_t dim)
      : heads{queries, keyValues, dim, 1 / std::sqrt(float(dim))}, qkv(random<T>(tokens * heads.row())), cos(random<T>(tokens * dim)),
        sin(random<T>(tokens * dim)) {}
  double turned(int64_t t, int64_t vector, int64_t i) const {
    const T* x = qkv.data() + t * heads.row() + vector * heads.dim;
    return double(x[i]) * cos[t * heads.dim + i] + double(x[(i + heads.dim / 2) % heads.dim]) * sin[t * heads.dim + i];
  }
  // The output of one query head at position t: softmax over the tokens up to it.
  std::vector<double> attend(int64_t t, int64_t head) const {
    const int64_t K = heads.dim, group = head * heads.keyValues / heads.queries;
    std::vector<double> weights(static_cast<size_t>(t + 1)), out(static_cast<size_t>(K));
    double whole = 0;
    for (int64_t s = 0; s <= t; s++) {
      double score = 0;
      for (int64_t i = 0; i < K; i++) score += turned(t, head, i) * turned(s, heads.queries + group, i);
      whole += weights[s] = std::exp(score * heads.scale);
    }
    for (int64_t s = 0; s <= t; s++) {
      const T* v = qkv.data() + s * heads.row() + (heads.queries + heads.keyValues + group) * K;
      for (int64_t i = 0; i < K; i++) out[i] += weights[s] / whole * v[i];
    }
    return out;
  }
};

template <class T>
double lossOf(const Sequence<T>& sequence, const std::vector<T>& grad, int64_t tokens) {
  double loss = 0;
  const Heads& heads = sequence.heads;
  for (int64_t t = 0; t < tokens; t++) {
    for (int64_t h = 0; h < heads.queries; h++) {
      const auto out = sequence.attend(t, h);
      for (int64_t i = 0; i < heads.dim; i++) loss += out[i] * grad[t * heads.out() + h * heads.dim + i];
    }
  }
  return loss;
}

// Forward and decoding against plain loops; the backward pass along a random direction against differences of the loss.
template <class T>
void testAttention(const Kernels<T>& kernels, int64_t tokens, int64_t queries, int64_t keyValues, int64_t dim) {
  const std::string shape = std::to_string(tokens) + " tokens, heads " + std::to_string(queries) + "/" + std::to_string(keyValues) + ", " + std::to_string(dim);
  Sequence<T> sequence(tokens, queries, keyValues, dim);
  const Heads heads = sequence.heads;
  const Rotation<T> rotation{sequence.cos.data(), sequence.sin.data()};
  std::vector<float> scratch(static_cast<size_t>(attentionScratch(tokens, dim) + 16), NAN);
  std::vector<T> out(static_cast<size_t>(tokens * heads.out()));
  const int64_t starts[] = {0, tokens};
  for (int64_t h = 0; h < queries; h++)
    kernels.attention(sequence.qkv.data(), out.data(), starts, 1, tokens, h, heads, rotation, aligned(scratch));
  // Decoding: the cache lies behind 40 columns that are not seen.
  const int64_t columns = tokens + 40, stride = dim * columns;
  std::vector<T> keys(static_cast<size_t>(keyValues * stride), T(NAN)), values(keys.size(), T(NAN)), decoded(out.size());
  Worst forward, decoding;
  for (int64_t t = 0; t < tokens; t++) {
    std::vector<float> room(static_cast<size_t>(decodeScratch(queries / keyValues, dim, t + 1)));
    for (int64_t g = 0; g < keyValues; g++)
      kernels.decodeAttention(
          sequence.qkv.data() + t * heads.row(), decoded.data() + t * heads.out(), {keys.data(), values.data(), columns}, 0, 40, 41 + t, g,
          heads, rotation, room.data());
    for (int64_t h = 0; h < queries; h++) {
      const auto expected = sequence.attend(t, h);
      for (int64_t i = 0; i < dim; i++) {
        forward.add(out[t * heads.out() + h * dim + i], expected[i]);
        decoding.add(decoded[t * heads.out() + h * dim + i], expected[i]);
      }
    }
  }
  report<T>("attention", shape, forward);
  report<T>("decodeAttention", shape, decoding);
  if constexpr (sizeof(T) == 4) {
    const auto grad = random<T>(tokens * heads.out()), direction = random<T>(tokens * heads.row());
    std::vector<T> gradQkv(sequence.qkv.size());
    const int64_t R = queries / keyValues, part = tokens * keyValues * 2 * dim;
    std::vector<float> memory(static_cast<size_t>(R * part));
    for (int64_t h = 0; h < queries; h++)
      kernels.attentionBackward(
          sequence.qkv.data(), grad.data(), gradQkv.data(), memory.data() + h % R * part, starts, 1, tokens, h, heads, rotation,
          aligned(scratch));
    kernels.sumMemoryGradients(memory.data(), part, gradQkv.data(), 0, tokens, heads);
    double slope = 0, size = 0;
    for (size_t i = 0; i < gradQkv.size(); i++) slope += double(gradQkv[i]) * direction[i], size += std::abs(double(gradQkv[i]) * direction[i]);
    const auto shifted = [&](float step) {
      Sequence<T> other = sequence;
      for (size_t i = 0; i < other.qkv.size(); i++) other.qkv[i] += step * direction[i];
      return lossOf(other, grad, tokens);
    };
    // Of a difference of float32 numbers: the steps' rounding is about 1e-4 of them.
    const double difference = (shifted(1e-3f) - shifted(-1e-3f)) / 2e-3;
    Worst backward;
    backward.add(0, 0);
    backward.error = std::abs(slope - difference) / std::max(size, 1e-6) < 2e-4 ? 0 : INFINITY;
    report<T>("attentionBackward", shape, backward);
  }
}

template <class T>
void testAll(const Kernels<T>& kernels) {
  for (const int64_t inner : {16, 32, 48, 384}) testSiluMul(kernels, 3, inner);
  for (const int64_t dim : {16, 48, 256}) testNorm(kernels, 5, dim);
  for (int64_t rows = 1; rows <= kFewRows; rows++) {
    for (const int64_t dim : {16, 48, 512}) testLinear(kernels, rows, dim, 13);
  }
  for (const int64_t vocab : {1, 5, 63, 64, 65, 1000}) testDraw(kernels, vocab);
  for (const int64_t tokens : {1, 3, 4, 5, 15, 16, 17, 33, 65}) testAttention(kernels, tokens, 4, 2, 32);
  for (const int64_t dim : {16, 48, 64, 80, 128}) testAttention(kernels, 19, 3, 1, dim);
  testAttention(kernels, 21, 7, 1, 16);
}

}  // namespace
}  // namespace openrs

int main() {
  openrs::testAll(openrs::KERNELS().float32);
  openrs::testAll(openrs::KERNELS().bfloat16);
  std::printf(openrs::failures == 0 ? "all kernels agree\n" : "%d failures\n", openrs::failures);
  return openrs::failures == 0 ? 0 : 1;
}
