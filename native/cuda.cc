// What of CUDA has no operator: streams, graphs, events, the caching allocator's figures. Without CUDA every function here says so.
#include "handles.h"

#ifdef OPEN_RS_CUDA_HEADERS
#include <ATen/cuda/CUDAGraph.h>
#include <c10/core/Event.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <map>
#include <memory>
#include <optional>

// The layout of CUDAGraph follows CUDA_VERSION: with headers of another one its calls would write beside their fields.
static_assert(OPEN_RS_CUDA_VERSION == 0 || CUDART_VERSION / 10 == OPEN_RS_CUDA_VERSION / 10, "CUDA's headers are not of the CUDA this PyTorch was built for");

namespace at::cuda {
// As ATen/cuda/CUDAContextLight.h declares it; that header wants those of cuBLAS, cuSPARSE and cuSOLVER too.
TORCH_CUDA_CPP_API cudaDeviceProp* getDeviceProperties(c10::DeviceIndex device);
}  // namespace at::cuda
#endif

namespace openrs {
namespace {

#ifdef OPEN_RS_CUDA_HEADERS

constexpr bool kCompiled = true;

// Objects that JavaScript names by a positive integer. Never destroyed: CUDA may be gone before our statics.
template <class T>
class Table {
 public:
  int32_t add(std::unique_ptr<T> item) {
    items_.push_back(std::move(item));
    return static_cast<int32_t>(items_.size());
  }
  T& get(int32_t id) const {
    if (id < 1 || static_cast<size_t>(id) > items_.size() || !items_[id - 1]) throw DisposedTensor{};
    return *items_[id - 1];
  }
  void release(int32_t id) {
    get(id);
    items_[id - 1].reset();
  }

 private:
  std::vector<std::unique_ptr<T>> items_;
};

// A graph with what its calls need: its device, and the memory its temporaries come from.
struct Graph {
  c10::DeviceIndex device;
  c10::MempoolId_t pool;
  at::cuda::CUDAGraph graph;
};

Table<Graph>& graphs() {
  static auto* table = new Table<Graph>();
  return *table;
}

struct Event {
  c10::DeviceIndex device;
  c10::Event event{c10::DeviceType::CUDA, c10::EventFlag::BACKEND_DEFAULT};
};

Table<Event>& events() {
  static auto* table = new Table<Event>();
  return *table;
}

c10::DeviceIndex deviceOf(napi_env env, napi_value v) { return static_cast<c10::DeviceIndex>(toInt32(env, v)); }

void waitFor(c10::DeviceIndex device) {
  const c10::cuda::CUDAGuard guard(device);
  c10::cuda::device_synchronize();
}

// Captures and what warms them up share one stream per device: cuBLAS keeps a workspace per stream, which must not lie in a graph's memory.
c10::cuda::CUDAStream sideStream(c10::DeviceIndex device) {
  static auto* streams = new std::map<c10::DeviceIndex, c10::cuda::CUDAStream>();
  const auto found = streams->find(device);
  if (found != streams->end()) return found->second;
  return streams->emplace(device, c10::cuda::getStreamFromPool(true, device)).first->second;
}

std::optional<c10::cuda::CUDAStream>& streamBefore() {
  static std::optional<c10::cuda::CUDAStream> stream;
  return stream;
}

void enterSideStream(c10::DeviceIndex device) {
  if (streamBefore()) throw std::logic_error("already on the side stream");
  waitFor(device);
  streamBefore() = c10::cuda::getCurrentCUDAStream(device);
  c10::cuda::setCurrentCUDAStream(sideStream(device));
}

void leaveSideStream() {
  if (!streamBefore()) return;
  c10::cuda::setCurrentCUDAStream(*streamBefore());
  streamBefore().reset();
}

napi_value synchronize(napi_env env, napi_callback_info info) {
  return guarded(env, "cudaSynchronize", [&]() -> napi_value {
    Args<1> args(env, info);
    waitFor(deviceOf(env, args[0]));
    return nullptr;
  });
}

// cudaProperties(device) -> [name, compute capability, multiprocessors, bytes of memory]
napi_value properties(napi_env env, napi_callback_info info) {
  return guarded(env, "cudaProperties", [&] {
    Args<1> args(env, info);
    const cudaDeviceProp& p = *at::cuda::getDeviceProperties(deviceOf(env, args[0]));
    const std::vector<napi_value> out = {
        fromString(env, p.name), fromString(env, std::to_string(p.major) + "." + std::to_string(p.minor)),
        fromInt32(env, p.multiProcessorCount), fromDouble(env, static_cast<double>(p.totalGlobalMem))};
    return toArray(env, out, [](napi_value v) { return v; });
  });
}

// cudaMemory(device) -> bytes [allocated, reserved, peak allocated, peak reserved, free, total]
napi_value memory(napi_env env, napi_callback_info info) {
  return guarded(env, "cudaMemory", [&] {
    Args<1> args(env, info);
    const c10::DeviceIndex device = deviceOf(env, args[0]);
    const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(device);
    const auto [free, total] = c10::cuda::CUDACachingAllocator::get()->getMemoryInfo(device);
    const auto& allocated = stats.allocated_bytes[0];
    const auto& reserved = stats.reserved_bytes[0];
    const std::vector<double> out = {
        static_cast<double>(allocated.current), static_cast<double>(reserved.current), static_cast<double>(allocated.peak),
        static_cast<double>(reserved.peak), static_cast<double>(free), static_cast<double>(total)};
    return toArray(env, out, [&](double bytes) { return fromDouble(env, bytes); });
  });
}

napi_value resetPeakMemory(napi_env env, napi_callback_info info) {
  return guarded(env, "cudaResetPeakMemory", [&]() -> napi_value {
    Args<1> args(env, info);
    c10::cuda::CUDACachingAllocator::resetPeakStats(deviceOf(env, args[0]));
    return nullptr;
  });
}

napi_value emptyCache(napi_env env, napi_callback_info) {
  return guarded(env, "cudaEmptyCache", [&]() -> napi_value {
    c10::cuda::CUDACachingAllocator::emptyCache();
    return nullptr;
  });
}

// cudaEvent(device) -> id of an event that keeps its time
napi_value newEvent(napi_env env, napi_callback_info info) {
  return guarded(env, "cudaEvent", [&] {
    Args<1> args(env, info);
    return fromInt32(env, events().add(std::unique_ptr<Event>(new Event{deviceOf(env, args[0])})));
  });
}

napi_value recordEvent(napi_env env, napi_callback_info info) {
  return guarded(env, "cudaEventRecord", [&]() -> napi_value {
    Args<1> args(env, info);
    Event& event = events().get(toInt32(env, args[0]));
    event.event.record(c10::cuda::getCurrentCUDAStream(event.device).unwrap());
    return nullptr;
  });
}

napi_value waitEvent(napi_env env, napi_callback_info info) {
  return guarded(env, "cudaEventSynchronize", [&]() -> napi_value {
    Args<1> args(env, info);
    events().get(toInt32(env, args[0])).event.synchronize();
    return nullptr;
  });
}

// cudaEventElapsed(from, to) -> milliseconds, after both have passed
napi_value elapsed(napi_env env, napi_callback_info info) {
  return guarded(env, "cudaEventElapsed", [&] {
    Args<2> args(env, info);
    const c10::Event& to = events().get(toInt32(env, args[1])).event;
    to.synchronize();
    return fromDouble(env, events().get(toInt32(env, args[0])).event.elapsedTime(to));
  });
}

napi_value releaseEvent(napi_env env, napi_callback_info info) {
  return guarded(env, "cudaEventRelease", [&]() -> napi_value {
    Args<1> args(env, info);
    events().release(toInt32(env, args[0]));
    return nullptr;
  });
}

// cudaSideStream(device, on): what follows on the device runs on the stream that its graphs are captured on
napi_value onSideStream(napi_env env, napi_callback_info info) {
  return guarded(env, "cudaSideStream", [&]() -> napi_value {
    Args<2> args(env, info);
    const c10::DeviceIndex device = deviceOf(env, args[0]);
    if (toBool(env, args[1])) {
      enterSideStream(device);
    } else {
      waitFor(device);
      leaveSideStream();
    }
    return nullptr;
  });
}

// cudaGraph(device, other): a graph whose temporaries share the memory of `other` (0: its own)
napi_value newGraph(napi_env env, napi_callback_info info) {
  return guarded(env, "cudaGraph", [&] {
    Args<2> args(env, info);
    const c10::DeviceIndex device = deviceOf(env, args[0]);
    const int32_t other = toInt32(env, args[1]);
    const c10::cuda::CUDAGuard guard(device);
    const c10::MempoolId_t pool = other ? graphs().get(other).pool : at::cuda::graph_pool_handle();
    return fromInt32(env, graphs().add(std::unique_ptr<Graph>(new Graph{device, pool, {}})));
  });
}

// Since PyTorch 2.14 a graph whose capture failed gives its memory pool back by itself. Before, the allocator went on as if capturing.
struct Probe : at::cuda::CUDAGraph {
  template <class P>
  static constexpr bool cleansUp() {
    return requires(P& graph) { graph.capturing_to_pool_; };
  }
};

void abandonCapture(const Graph& graph) {
  leaveSideStream();
  if constexpr (!Probe::cleansUp<Probe>()) {
    try {
      c10::cuda::CUDACachingAllocator::endAllocateToPool(graph.device, graph.pool);
    } catch (const c10::Error&) {
      return;  // The capture had ended: the graph itself releases its pool.
    }
    c10::cuda::CUDACachingAllocator::releasePool(graph.device, graph.pool);
  }
}

napi_value beginCapture(napi_env env, napi_callback_info info) {
  return guarded(env, "cudaGraphBegin", [&]() -> napi_value {
    Args<1> args(env, info);
    Graph& graph = graphs().get(toInt32(env, args[0]));
    const c10::cuda::CUDAGuard guard(graph.device);
    enterSideStream(graph.device);
    try {
      // Other threads (backward, timers) may go on calling CUDA meanwhile.
      graph.graph.capture_begin(graph.pool, cudaStreamCaptureModeThreadLocal);
    } catch (...) {
      abandonCapture(graph);
      throw;
    }
    return nullptr;
  });
}

napi_value endCapture(napi_env env, napi_callback_info info) {
  return guarded(env, "cudaGraphEnd", [&]() -> napi_value {
    Args<1> args(env, info);
    Graph& graph = graphs().get(toInt32(env, args[0]));
    const c10::cuda::CUDAGuard guard(graph.device);
    try {
      graph.graph.capture_end();
    } catch (...) {
      abandonCapture(graph);
      throw;
    }
    leaveSideStream();
    return nullptr;
  });
}

napi_value replay(napi_env env, napi_callback_info info) {
  return guarded(env, "cudaGraphReplay", [&]() -> napi_value {
    Args<1> args(env, info);
    Graph& graph = graphs().get(toInt32(env, args[0]));
    const c10::cuda::CUDAGuard guard(graph.device);
    graph.graph.replay();
    return nullptr;
  });
}

napi_value releaseGraph(napi_env env, napi_callback_info info) {
  return guarded(env, "cudaGraphRelease", [&]() -> napi_value {
    Args<1> args(env, info);
    const int32_t id = toInt32(env, args[0]);
    const c10::cuda::CUDAGuard guard(graphs().get(id).device);
    c10::cuda::device_synchronize();
    graphs().release(id);
    return nullptr;
  });
}

#else

constexpr bool kCompiled = false;

#ifdef OPEN_RS_CUDA
constexpr const char* kWhy =
    "this addon was built without CUDA's headers: run 'node scripts/setup.mjs', which fetches them (packages nvidia-cuda-runtime and nvidia-cuda-crt)";
#else
constexpr const char* kWhy = "this addon was built for a libtorch without CUDA: install PyTorch for CUDA (or set OPEN_RS_TORCH) and run 'node scripts/setup.mjs'";
#endif

napi_value unavailable(napi_env env, napi_callback_info) {
  return guarded(env, "cuda", [&]() -> napi_value { throw std::runtime_error(kWhy); });
}

constexpr auto synchronize = unavailable, properties = unavailable, memory = unavailable, resetPeakMemory = unavailable, emptyCache = unavailable,
               newEvent = unavailable, recordEvent = unavailable, waitEvent = unavailable, elapsed = unavailable, releaseEvent = unavailable,
               onSideStream = unavailable, newGraph = unavailable, beginCapture = unavailable, endCapture = unavailable, replay = unavailable,
               releaseGraph = unavailable;

#endif

napi_value compiled(napi_env env, napi_callback_info) {
  return guarded(env, "cudaCompiled", [&] { return fromBool(env, kCompiled); });
}

}  // namespace

void registerCuda(napi_env env, napi_value exports) {
  expose(env, exports, "cudaCompiled", compiled);
  expose(env, exports, "cudaSynchronize", synchronize);
  expose(env, exports, "cudaProperties", properties);
  expose(env, exports, "cudaMemory", memory);
  expose(env, exports, "cudaResetPeakMemory", resetPeakMemory);
  expose(env, exports, "cudaEmptyCache", emptyCache);
  expose(env, exports, "cudaEvent", newEvent);
  expose(env, exports, "cudaEventRecord", recordEvent);
  expose(env, exports, "cudaEventSynchronize", waitEvent);
  expose(env, exports, "cudaEventElapsed", elapsed);
  expose(env, exports, "cudaEventRelease", releaseEvent);
  expose(env, exports, "cudaSideStream", onSideStream);
  expose(env, exports, "cudaGraph", newGraph);
  expose(env, exports, "cudaGraphBegin", beginCapture);
  expose(env, exports, "cudaGraphEnd", endCapture);
  expose(env, exports, "cudaGraphReplay", replay);
  expose(env, exports, "cudaGraphRelease", releaseGraph);
}

}  // namespace openrs
