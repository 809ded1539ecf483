// What surrounds the tensors: version, threads, devices, random state.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>

#include "choice.h"
#include "handles.h"

namespace openrs {
namespace {

// src/recipe/fields/model.ts has the same bound.
constexpr int32_t kMaxThreads = 1024;

napi_value version(napi_env env, napi_callback_info) {
  return guarded(env, "version", [&] { return fromString(env, TORCH_VERSION); });
}

napi_value cpuCapability(napi_env env, napi_callback_info) {
  return guarded(env, "cpuCapability", [&] { return fromString(env, at::get_cpu_capability()); });
}

napi_value ownOperators(napi_env env, napi_callback_info) {
  return guarded(env, "ownOperators", [&] { return fromString(env, describeOwn()); });
}

napi_value setOwnOperators(napi_env env, napi_callback_info info) {
  return guarded(env, "setOwnOperators", [&]() -> napi_value {
    Args<1> args(env, info);
    setOwn(toString(env, args[0]));
    return nullptr;
  });
}

napi_value getNumThreads(napi_env env, napi_callback_info) {
  return guarded(env, "getNumThreads", [&] { return fromInt32(env, at::get_num_threads()); });
}

napi_value setNumThreads(napi_env env, napi_callback_info info) {
  return guarded(env, "setNumThreads", [&]() -> napi_value {
    Args<1> args(env, info);
    int32_t threads = toInt32(env, args[0]);
    // OpenMP starts them all, and ends the process where the system has no room for one.
    if (threads < 1 || threads > kMaxThreads) throw std::invalid_argument("threads must be 1 to " + std::to_string(kMaxThreads) + ", not " + std::to_string(threads));
    at::set_num_threads(threads);
    return nullptr;
  });
}

napi_value cudaDeviceCount(napi_env env, napi_callback_info) {
  return guarded(env, "cudaDeviceCount", [&] {
    return fromInt32(env, at::hasCUDA() ? static_cast<int32_t>(at::detail::getCUDAHooks().deviceCount()) : 0);
  });
}

// setDeterministic(on): operators take algorithms whose results do not change from run to run, or throw where there is none
napi_value setDeterministic(napi_env env, napi_callback_info info) {
  return guarded(env, "setDeterministic", [&]() -> napi_value {
    Args<1> args(env, info);
    at::globalContext().setDeterministicAlgorithms(toBool(env, args[0]), false);
    // Filling what is empty with NaN finds mistakes, at the price of a kernel for each new tensor.
    at::globalContext().setDeterministicFillUninitializedMemory(false);
    return nullptr;
  });
}

const at::Generator& generatorFor(napi_env env, napi_value device) {
  return at::globalContext().defaultGenerator(c10::Device(toString(env, device)));
}

// manualSeed(seed): every device's default generator
napi_value manualSeed(napi_env env, napi_callback_info info) {
  return guarded(env, "manualSeed", [&]() -> napi_value {
    Args<1> args(env, info);
    at::manual_seed(static_cast<uint64_t>(toInt64(env, args[0])));
    return nullptr;
  });
}

// getRngState(device) -> handle of a uint8 tensor
napi_value getRngState(napi_env env, napi_callback_info info) {
  return guarded(env, "getRngState", [&] {
    Args<1> args(env, info);
    at::Generator generator = generatorFor(env, args[0]);
    std::lock_guard<std::mutex> lock(generator.mutex());
    return fromInt32(env, handles().add(generator.get_state()));
  });
}

napi_value setRngState(napi_env env, napi_callback_info info) {
  return guarded(env, "setRngState", [&]() -> napi_value {
    Args<2> args(env, info);
    at::Generator generator = generatorFor(env, args[0]);
    std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_state(toTensor(env, args[1]));
    return nullptr;
  });
}

}  // namespace

void registerSystem(napi_env env, napi_value exports) {
  expose(env, exports, "version", version);
  expose(env, exports, "cpuCapability", cpuCapability);
  expose(env, exports, "ownOperators", ownOperators);
  expose(env, exports, "setOwnOperators", setOwnOperators);
  expose(env, exports, "getNumThreads", getNumThreads);
  expose(env, exports, "setNumThreads", setNumThreads);
  expose(env, exports, "cudaDeviceCount", cudaDeviceCount);
  expose(env, exports, "setDeterministic", setDeterministic);
  expose(env, exports, "manualSeed", manualSeed);
  expose(env, exports, "getRngState", getRngState);
  expose(env, exports, "setRngState", setRngState);
}

}  // namespace openrs
