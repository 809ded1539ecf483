// Autograd: the grad mode, backward, gradients of leaves.
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include "handles.h"

namespace openrs {
namespace {

std::vector<at::Tensor> toTensors(napi_env env, napi_value v) {
  std::vector<at::Tensor> out(arrayLength(env, v));
  for (uint32_t i = 0; i < out.size(); i++) {
    int32_t handle = toInt32(env, element(env, v, i));
    if (handle) out[i] = handles().get(handle);
  }
  return out;
}

// backward(tensors, gradients, retainGraph): gradients is empty for scalars
napi_value backward(napi_env env, napi_callback_info info) {
  return guarded(env, "backward", [&]() -> napi_value {
    Args<3> args(env, info);
    torch::autograd::backward(toTensors(env, args[0]), toTensors(env, args[1]), toBool(env, args[2]));
    return nullptr;
  });
}

// gradients(outputs, inputs, outputGradients) -> handles, 0 where an input was not used
napi_value gradients(napi_env env, napi_callback_info info) {
  return guarded(env, "gradients", [&] {
    Args<3> args(env, info);
    auto grads = torch::autograd::grad(toTensors(env, args[0]), toTensors(env, args[1]), toTensors(env, args[2]), std::nullopt, false, true);
    return toArray(env, grads, [&](const at::Tensor& t) { return fromInt32(env, handles().add(t)); });
  });
}

napi_value grad(napi_env env, napi_callback_info info) {
  return guarded(env, "grad", [&] {
    Args<1> args(env, info);
    return fromInt32(env, handles().add(toTensor(env, args[0]).grad()));
  });
}

// setGrad(handle, gradHandle): 0 clears it
napi_value setGrad(napi_env env, napi_callback_info info) {
  return guarded(env, "setGrad", [&]() -> napi_value {
    Args<2> args(env, info);
    int32_t handle = toInt32(env, args[1]);
    toTensor(env, args[0]).mutable_grad() = handle ? handles().get(handle) : at::Tensor();
    return nullptr;
  });
}

napi_value setRequiresGrad(napi_env env, napi_callback_info info) {
  return guarded(env, "requiresGrad", [&]() -> napi_value {
    Args<2> args(env, info);
    toTensor(env, args[0]).set_requires_grad(toBool(env, args[1]));
    return nullptr;
  });
}

napi_value requiresGrad(napi_env env, napi_callback_info info) {
  return guarded(env, "requiresGrad", [&] {
    Args<1> args(env, info);
    return fromBool(env, toTensor(env, args[0]).requires_grad());
  });
}

// setGradMode(enabled) -> what it was
napi_value setGradMode(napi_env env, napi_callback_info info) {
  return guarded(env, "setGradMode", [&] {
    Args<1> args(env, info);
    bool before = c10::GradMode::is_enabled();
    c10::GradMode::set_enabled(toBool(env, args[0]));
    return fromBool(env, before);
  });
}

}  // namespace

void registerAutograd(napi_env env, napi_value exports) {
  expose(env, exports, "backward", backward);
  expose(env, exports, "gradients", gradients);
  expose(env, exports, "grad", grad);
  expose(env, exports, "setGrad", setGrad);
  expose(env, exports, "setRequiresGrad", setRequiresGrad);
  expose(env, exports, "requiresGrad", requiresGrad);
  expose(env, exports, "setGradMode", setGradMode);
}

}  // namespace openrs
