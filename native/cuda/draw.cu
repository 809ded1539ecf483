// One token per row from softmax(logits / temperature), by one uniform number: the first token at which the cumulative probability exceeds
// it. In two levels: what each chunk of the vocabulary holds, then the one chunk in which the sum passes the number. B rows, V tokens, C chunks.

// stats [B, C, 3]: the chunk's largest logit m, the sum of exp(x - m), and that of exp((x - m) / temperature).
template <class T>
__global__ void drawChunks(const T* logits, float* stats, long long vocab, long long chunk, float inverse) {
  const long long row = blockIdx.y, begin = blockIdx.x * chunk, end = begin + chunk < vocab ? begin + chunk : vocab;
  const T* x = logits + row * vocab;
  float largest = -INF;
  for (long long i = begin + threadIdx.x; i < end; i += blockDim.x) largest = fmaxf(largest, toFloat(x[i]));
  largest = reduce(largest, Max());
  float plain = 0.0f, scaled = 0.0f;
  for (long long i = begin + threadIdx.x; i < end; i += blockDim.x) {
    // Where nothing is possible, -inf - -inf is no number.
    const float below = toFloat(x[i]) == -INF ? -INF : toFloat(x[i]) - largest;
    plain += expf(below);
    scaled += expf(below * inverse);
  }
  plain = reduce(plain, Sum());
  scaled = reduce(scaled, Sum());
  if (threadIdx.x != 0) return;
  float* out = stats + (row * gridDim.x + blockIdx.x) * 3;
  out[0] = largest;
  out[1] = plain;
  out[2] = scaled;
}

struct Whole {
  float largest, plain, scaled;
};

// The chunk in which the sum passes `target`, and the sum before it; the last one that holds anything where rounding steps past all.
struct Place {
  long long chunk;
  float before;
};

__device__ inline Place find(const float* stats, long long chunks, float inverse, float largest, float target) {
  Place place = {chunks - 1, 0.0f};
  float before = 0.0f;
  for (long long c = 0; c < chunks; c++) {
    const float mass = stats[3 * c + 2] * expf((stats[3 * c] - largest) * inverse);
    if (mass > 0.0f) place = {c, before};
    before += mass;
    if (before > target) break;
  }
  return place;
}

// ids int64 [B], sampling and plain log-probabilities [B]. A block per row.
template <class T>
__global__ void drawPick(
    const T* logits, const float* stats, const float* uniform, long long* ids, float* samplingLogps, float* logps, long long vocab,
    long long chunk, long long chunks, float inverse) {
  __shared__ Whole whole;
  __shared__ Place place;
  __shared__ float sums[1024];
  const long long row = blockIdx.x;
  const T* x = logits + row * vocab;
  const float* mine = stats + row * chunks * 3;
  float largest = -INF, plain = 0.0f, scaled = 0.0f;
  for (long long c = threadIdx.x; c < chunks; c += blockDim.x) largest = fmaxf(largest, mine[3 * c]);
  largest = reduce(largest, Max());
  for (long long c = threadIdx.x; c < chunks; c += blockDim.x) {
    plain += mine[3 * c + 1] * expf(mine[3 * c] - largest);
    scaled += mine[3 * c + 2] * expf((mine[3 * c] - largest) * inverse);
  }
  plain = reduce(plain, Sum());
  scaled = reduce(scaled, Sum());
  // A hair below the whole, so that rounding can never step past the last token that has any probability.
  const float target = uniform[row] * scaled * (1.0f - 1e-6f);
  if (threadIdx.x == 0) {
    whole = {largest, plain, scaled};
    place = find(mine, chunks, inverse, largest, target);
  }
  __syncthreads();
  const long long begin = place.chunk * chunk, end = begin + chunk < vocab ? begin + chunk : vocab;
  // Each thread has neighbouring tokens; their sums say where it begins.
  const long long share = (chunk + blockDim.x - 1) / blockDim.x;
  const long long first = begin + threadIdx.x * share, last = first + share < end ? first + share : end;
  float sum = 0.0f;
  for (long long i = first; i < last; i++) sum += expf((toFloat(x[i]) - whole.largest) * inverse);
  sums[threadIdx.x] = sum;
  __syncthreads();
  float before = place.before;
  for (int t = 0; t < static_cast<int>(threadIdx.x); t++) before += sums[t];
  int found = NONE, possible = -1;
  for (long long i = first; i < last; i++) {
    const float p = expf((toFloat(x[i]) - whole.largest) * inverse);
    before += p;
    if (p > 0.0f) possible = static_cast<int>(i);
    if (found == NONE && p > 0.0f && before > target) found = static_cast<int>(i);
  }
  found = reduce(found, Least());
  possible = reduce(possible, Most());
  if (threadIdx.x != 0) return;
  // Only where probabilities are NaN is none found: some token then, whose log-probability is NaN.
  const long long id = found != NONE ? found : possible >= 0 ? possible : vocab - 1;
  const float below = toFloat(x[id]) - whole.largest;
  ids[row] = id;
  samplingLogps[row] = below * inverse - logf(whole.scaled);
  logps[row] = below - logf(whole.plain);
}
