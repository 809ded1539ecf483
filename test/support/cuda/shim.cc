// Runs the kernels of native/cuda/ on a CPU: a block's threads are fibers that take turns from one __syncthreads to the next. Reads a
// launch from stdin, writes the tensors' memory after it to stdout (shim.ts).
#include <ucontext.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __shared__ static

struct Index {
  unsigned x, y, z;
};
static Index threadIdx, blockIdx, blockDim, gridDim;

struct Fiber {
  ucontext_t context;
  std::unique_ptr<char[]> stack;
  bool done = false;
};
static std::vector<Fiber> fibers;
static ucontext_t scheduler;
static std::function<void()> body;

static void __syncthreads() { swapcontext(&fibers[threadIdx.x].context, &scheduler); }
template <class T>
T __shfl_xor_sync(unsigned, T value, int step) {
  static T slots[1024];
  slots[threadIdx.x] = value;
  __syncthreads();
  const T other = slots[threadIdx.x ^ step];
  __syncthreads();
  return other;
}
static float __uint_as_float(unsigned bits) { return std::bit_cast<float>(bits); }
static unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
static float rsqrtf(float x) { return 1.0f / sqrtf(x); }

#include "common.cu"
#include "draw.cu"
#include "head.cu"
#include "layers.cu"

static void enter() {
  body();
  fibers[threadIdx.x].done = true;
}

static void runBlock() {
  fibers.resize(blockDim.x);
  for (auto& fiber : fibers) {
    if (!fiber.stack) fiber.stack.reset(new char[1 << 16]);
    fiber.done = false;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = 1 << 16;
    fiber.context.uc_link = &scheduler;
    makecontext(&fiber.context, enter, 0);
  }
  for (bool running = true; running;) {
    running = false;
    for (unsigned t = 0; t < blockDim.x; t++) {
      if (fibers[t].done) continue;
      threadIdx = {t, 0, 0};
      swapcontext(&scheduler, &fibers[t].context);
      running = running || !fibers[t].done;
    }
  }
}

template <class... A, size_t... I>
std::function<void()> prepare(void (*kernel)(A...), void** arguments, std::index_sequence<I...>) {
  return [=] { kernel(*static_cast<A*>(arguments[I])...); };
}
template <class... A>
std::function<void()> prepare(void (*kernel)(A...), void** arguments) {
  return prepare(kernel, arguments, std::index_sequence_for<A...>());
}

#define EACH(name) {#name "<float>", [](void** a) { return prepare(name<float>, a); }}, {#name "<bf16>", [](void** a) { return prepare(name<bf16>, a); }}
static const std::map<std::string, std::function<void()> (*)(void**)> kernels = {
    EACH(siluMul), EACH(addRmsNorm), EACH(rotateAndStore), EACH(drawChunks), EACH(drawPick), EACH(headScores), EACH(headGradient)};

static void take(void* to, size_t bytes) {
  if (fread(to, 1, bytes, stdin) != bytes) exit(2);
}
static uint32_t takeInt() {
  uint32_t n;
  take(&n, sizeof n);
  return n;
}

// Length and name; blocks x, y; threads; count of arguments, each a letter (in 4 bytes), a size, and its bytes.
int main() {
  std::string name(takeInt(), '\0');
  take(name.data(), name.size());
  gridDim = {takeInt(), 0, 1};
  gridDim.y = takeInt();
  blockDim = {takeInt(), 1, 1};
  const uint32_t count = takeInt();
  std::vector<std::vector<char>> memory(count);
  std::vector<void*> values(count), arguments(count);
  std::vector<bool> isTensor(count);
  for (uint32_t i = 0; i < count; i++) {
    isTensor[i] = takeInt() == 't';
    memory[i].resize(takeInt());
    take(memory[i].data(), memory[i].size());
    values[i] = memory[i].empty() ? nullptr : memory[i].data();
    arguments[i] = isTensor[i] ? static_cast<void*>(&values[i]) : memory[i].data();
  }
  body = kernels.at(name)(arguments.data());
  for (blockIdx.y = 0; blockIdx.y < gridDim.y; blockIdx.y++)
    for (blockIdx.x = 0; blockIdx.x < gridDim.x; blockIdx.x++) runBlock();
  for (uint32_t i = 0; i < count; i++)
    if (isTensor[i]) fwrite(memory[i].data(), 1, memory[i].size(), stdout);
}
