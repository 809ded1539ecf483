// Kernels of our own on a GPU: loaded from what NVRTC made (nvrtc.cc), launched on libtorch's current stream, so also into a graph that
// is being captured. The driver's library is opened at run time: machines without a GPU have none.
#include "handles.h"

#ifdef OPEN_RS_CUDA_HEADERS
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <dlfcn.h>
#endif

#include <stdexcept>

namespace openrs {
namespace {

#ifdef OPEN_RS_CUDA_HEADERS

// As cuda.h declares them.
struct Driver {
  int (*loadModule)(void** module, const void* image);
  int (*getFunction)(void** function, void* module, const char* name);
  int (*launch)(
      void* function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY, unsigned blockZ, unsigned shared,
      cudaStream_t stream, void** arguments, void** extra);
  int (*describe)(int status, const char** text);
};

template <class F>
void look(void* library, const char* name, F*& function) {
  function = reinterpret_cast<F*>(dlsym(library, name));
  if (!function) throw std::runtime_error(std::string("the CUDA driver has no ") + name);
}

const Driver& driver() {
  static const Driver* loaded = [] {
    void* library = dlopen("libcuda.so.1", RTLD_LAZY);
    if (!library) throw std::runtime_error(dlerror());
    auto* out = new Driver();
    look(library, "cuModuleLoadData", out->loadModule);
    look(library, "cuModuleGetFunction", out->getFunction);
    look(library, "cuLaunchKernel", out->launch);
    look(library, "cuGetErrorString", out->describe);
    return out;
  }();
  return *loaded;
}

void must(int status) {
  if (status == 0) return;
  const char* text = nullptr;
  driver().describe(status, &text);
  throw std::runtime_error(std::string("CUDA driver: ") + (text ? text : "unknown error"));
}

struct Kernel {
  c10::DeviceIndex device;
  void* function;
};

std::vector<Kernel>& kernels() {
  static auto* list = new std::vector<Kernel>();
  return *list;
}

// cudaLoadKernels(device, binary, names) -> an id for each
napi_value load(napi_env env, napi_callback_info info) {
  return guarded(env, "cudaLoadKernels", [&] {
    Args<3> args(env, info);
    const auto device = static_cast<c10::DeviceIndex>(toInt32(env, args[0]));
    const c10::cuda::CUDAGuard guard(device);
    // The driver works in the thread's context, which the runtime makes at its first call.
    c10::cuda::device_synchronize();
    void *bytes = nullptr, *module = nullptr;
    size_t size = 0;
    check(env, napi_get_arraybuffer_info(env, args[1], &bytes, &size));
    must(driver().loadModule(&module, bytes));
    std::vector<int32_t> ids;
    for (uint32_t i = 0, n = arrayLength(env, args[2]); i < n; i++) {
      void* function = nullptr;
      must(driver().getFunction(&function, module, toString(env, element(env, args[2], i)).c_str()));
      kernels().push_back({device, function});
      ids.push_back(static_cast<int32_t>(kernels().size()));
    }
    return toArray(env, ids, [&](int32_t id) { return fromInt32(env, id); });
  });
}

union Argument {
  void* pointer;
  int64_t integer;
  float number;
};

// One letter per argument: t a tensor's memory (or null), i an int64, f a float.
std::vector<Argument> argumentsOf(napi_env env, const Kernel& kernel, const std::string& kinds, napi_value values) {
  std::vector<Argument> out(kinds.size());
  for (uint32_t i = 0; i < kinds.size(); i++) {
    const napi_value v = element(env, values, i);
    if (kinds[i] == 'i') {
      out[i].integer = toInt64(env, v);
    } else if (kinds[i] == 'f') {
      out[i].number = static_cast<float>(toDouble(env, v));
    } else if (toInt32(env, v) == 0) {
      out[i].pointer = nullptr;
    } else {
      const at::Tensor& t = toTensor(env, v);
      if (!t.is_cuda() || t.get_device() != kernel.device) throw std::invalid_argument("argument " + std::to_string(i) + " is not on the kernel's device");
      if (!t.is_contiguous()) throw std::invalid_argument("argument " + std::to_string(i) + " is not contiguous");
      out[i].pointer = t.data_ptr();
    }
  }
  return out;
}

// cudaLaunch(kernel, blocks in x, blocks in y, threads, kinds, arguments)
napi_value launch(napi_env env, napi_callback_info info) {
  return guarded(env, "cudaLaunch", [&]() -> napi_value {
    Args<6> args(env, info);
    const Kernel& kernel = kernels().at(static_cast<size_t>(toInt32(env, args[0])) - 1);
    auto arguments = argumentsOf(env, kernel, toString(env, args[4]), args[5]);
    std::vector<void*> pointers;
    for (auto& argument : arguments) pointers.push_back(&argument);
    const c10::cuda::CUDAGuard guard(kernel.device);
    must(driver().launch(
        kernel.function, static_cast<unsigned>(toInt32(env, args[1])), static_cast<unsigned>(toInt32(env, args[2])), 1,
        static_cast<unsigned>(toInt32(env, args[3])), 1, 1, 0, c10::cuda::getCurrentCUDAStream(kernel.device).stream(), pointers.data(), nullptr));
    return nullptr;
  });
}

#else

napi_value unavailable(napi_env env, napi_callback_info) {
  return guarded(env, "cuda", [&]() -> napi_value { throw std::runtime_error("this addon was built without CUDA"); });
}

constexpr auto load = unavailable, launch = unavailable;

#endif

}  // namespace

void registerCudaKernels(napi_env env, napi_value exports) {
  expose(env, exports, "cudaLoadKernels", load);
  expose(env, exports, "cudaLaunch", launch);
}

}  // namespace openrs
