// The table through which JavaScript names tensors: a handle is a positive integer, 0 is "no tensor".
// JavaScript owns the lifetime (src/torch/scope.ts); this side only looks up, adds and releases.
#pragma once
#include <ATen/core/Tensor.h>

#include "napi.h"

namespace openrs {

// A handle that is 0, released or never given out. Reported to JavaScript as DisposedTensorError.
struct DisposedTensor {};

class Handles {
 public:
  int32_t add(at::Tensor tensor) {
    if (!tensor.defined()) return 0;
    live_++;
    if (free_.empty()) {
      slots_.push_back(std::move(tensor));
      return static_cast<int32_t>(slots_.size());
    }
    int32_t handle = free_.back();
    free_.pop_back();
    slots_[handle - 1] = std::move(tensor);
    return handle;
  }

  const at::Tensor& get(int32_t handle) const {
    if (handle < 1 || static_cast<size_t>(handle) > slots_.size() || !slots_[handle - 1].defined()) throw DisposedTensor{};
    return slots_[handle - 1];
  }

  void release(int32_t handle) {
    get(handle);
    slots_[handle - 1] = at::Tensor();
    free_.push_back(handle);
    live_--;
  }

  size_t live() const { return live_; }
  const std::vector<at::Tensor>& slots() const { return slots_; }

 private:
  std::vector<at::Tensor> slots_;
  std::vector<int32_t> free_;
  size_t live_ = 0;
};

Handles& handles();

inline const at::Tensor& toTensor(napi_env env, napi_value v) { return handles().get(toInt32(env, v)); }

// Runs a callback's body and turns C++ exceptions into JavaScript ones (errors.cc).
[[gnu::cold]] void rethrow(napi_env env, const char* what);

template <class F>
napi_value guarded(napi_env env, const char* what, F body) {
  try {
    return body();
  } catch (...) {
    rethrow(env, what);
    return nullptr;
  }
}

// Throws in JavaScript what its error factory makes of (kind, operator, arguments, message). Never throws in C++.
void throwJs(napi_env env, const char* kind, const std::string& op, const std::string& args, const std::string& message);

// "float32[2, 3]", for error messages and toString.
std::string describe(const at::Tensor& tensor);

// The factory of an environment that ends is not called any more.
void forgetErrorFactory(napi_env env);

void registerDispatch(napi_env env, napi_value exports);
void registerTensors(napi_env env, napi_value exports);
void registerAutograd(napi_env env, napi_value exports);
void registerErrors(napi_env env, napi_value exports);
void registerSystem(napi_env env, napi_value exports);
void registerCuda(napi_env env, napi_value exports);
void registerCudaKernels(napi_env env, napi_value exports);
void registerNvrtc(napi_env env, napi_value exports);

inline void expose(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value fn;
  check(env, napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &fn));
  check(env, napi_set_named_property(env, exports, name, fn));
}

}  // namespace openrs
