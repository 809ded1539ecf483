// What the head needs of a chunk's logits, read in the dtype they come in: no float32 copy of them. C tokens, V vocabulary.

// Of softmax(logits / temperature): the targets' log-probabilities, entropies, the likeliest token's log-probability, and the logarithm of
// the sum of exp(logits / temperature), all float32 [C]. A block per token.
template <class T>
__global__ void headScores(
    const T* logits, const long long* targets, float* logps, float* entropies, float* bests, float* logSums, long long vocab, float inverse) {
  const long long row = blockIdx.x;
  const T* x = logits + row * vocab;
  float largest = -INF;
  for (long long i = threadIdx.x; i < vocab; i += blockDim.x) largest = fmaxf(largest, toFloat(x[i]) * inverse);
  largest = reduce(largest, Max());
  float sum = 0.0f, weighted = 0.0f;
  for (long long i = threadIdx.x; i < vocab; i += blockDim.x) {
    const float below = toFloat(x[i]) * inverse - largest, e = expf(below);
    sum += e;
    // The limit of e^x x is 0.
    if (e > 0.0f) weighted += e * below;
  }
  sum = reduce(sum, Sum());
  weighted = reduce(weighted, Sum());
  if (threadIdx.x != 0) return;
  const float logSum = logf(sum);
  logps[row] = toFloat(x[targets[row]]) * inverse - largest - logSum;
  // log sum - sum p (x - m)
  entropies[row] = logSum - weighted / sum;
  bests[row] = -logSum;
  logSums[row] = largest + logSum;
}

// In place: logits -> the loss's derivative by them. g is that by the log-probabilities: g (onehot(target) - p); e, which may be null, that
// by the entropies: e p (mean logit - logit), where the mean is logSum - entropy. Blocks: pieces of the vocabulary by tokens.
template <class T>
__global__ void headGradient(
    T* logits, const long long* targets, const float* logSums, const float* entropies, const float* g, const float* e, long long vocab,
    float inverse) {
  const long long row = blockIdx.y, i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= vocab) return;
  T* x = logits + row * vocab;
  const float logit = toFloat(x[i]) * inverse, p = expf(logit - logSums[row]);
  float slope = g[row] * ((i == targets[row] ? 1.0f : 0.0f) - p);
  if (e) slope += e[row] * p * (logSums[row] - entropies[row] - logit);
  x[i] = rounded<T>(slope * inverse);
}
