// Tensors in and out of JavaScript memory, their metadata and their release.
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <cstring>
#include <unordered_set>

#include "handles.h"

namespace openrs {
namespace {

struct Bytes {
  void* data;
  size_t length;
};

Bytes toBytes(napi_env env, napi_value v) {
  napi_typedarray_type type;
  size_t count;
  void* data;
  napi_value buffer;
  size_t offset;
  check(env, napi_get_typedarray_info(env, v, &type, &count, &data, &buffer, &offset));
  size_t width = 1;
  switch (type) {
    case napi_int16_array:
    case napi_uint16_array: width = 2; break;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array: width = 4; break;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array: width = 8; break;
    default: break;
  }
  return {data, count * width};
}

// fromBytes(typedArray, dtype, shape) -> handle of a CPU tensor that owns a copy
napi_value fromBytes(napi_env env, napi_callback_info info) {
  return guarded(env, "tensor", [&] {
    Args<3> args(env, info);
    Bytes bytes = toBytes(env, args[0]);
    int32_t code = toInt32(env, args[1]);
    if (code < 0 || code >= static_cast<int32_t>(at::ScalarType::NumOptions)) throw std::invalid_argument("there is no dtype " + std::to_string(code));
    auto dtype = static_cast<at::ScalarType>(code);
    at::Tensor out = at::empty(toInts(env, args[2]), at::TensorOptions().dtype(dtype));
    if (out.nbytes() != bytes.length) {
      throw std::invalid_argument(describe(out) + " needs " + std::to_string(out.nbytes()) + " bytes, the array has " + std::to_string(bytes.length));
    }
    if (bytes.length) std::memcpy(out.mutable_data_ptr(), bytes.data, bytes.length);
    return fromInt32(env, handles().add(std::move(out)));
  });
}

// toBytes(handle) -> ArrayBuffer with a contiguous copy
napi_value copyOut(napi_env env, napi_callback_info info) {
  return guarded(env, "toTypedArray", [&] {
    Args<1> args(env, info);
    at::Tensor tensor = toTensor(env, args[0]).detach().cpu().contiguous();
    void* data;
    napi_value buffer;
    check(env, napi_create_arraybuffer(env, tensor.nbytes(), &data, &buffer));
    if (tensor.nbytes()) std::memcpy(data, tensor.const_data_ptr(), tensor.nbytes());
    return buffer;
  });
}

napi_value shape(napi_env env, napi_callback_info info) {
  return guarded(env, "shape", [&] {
    Args<1> args(env, info);
    return toArray(env, toTensor(env, args[0]).sizes(), [&](int64_t n) { return fromDouble(env, static_cast<double>(n)); });
  });
}

napi_value strides(napi_env env, napi_callback_info info) {
  return guarded(env, "strides", [&] {
    Args<1> args(env, info);
    return toArray(env, toTensor(env, args[0]).strides(), [&](int64_t n) { return fromDouble(env, static_cast<double>(n)); });
  });
}

napi_value dtype(napi_env env, napi_callback_info info) {
  return guarded(env, "dtype", [&] {
    Args<1> args(env, info);
    return fromInt32(env, static_cast<int32_t>(toTensor(env, args[0]).scalar_type()));
  });
}

napi_value device(napi_env env, napi_callback_info info) {
  return guarded(env, "device", [&] {
    Args<1> args(env, info);
    return fromString(env, toTensor(env, args[0]).device().str());
  });
}

// release(handles): one call frees a whole scope
napi_value release(napi_env env, napi_callback_info info) {
  return guarded(env, "dispose", [&]() -> napi_value {
    Args<1> args(env, info);
    if (!isArray(env, args[0])) {
      handles().release(toInt32(env, args[0]));
      return nullptr;
    }
    for (uint32_t i = 0, n = arrayLength(env, args[0]); i < n; i++) handles().release(toInt32(env, element(env, args[0], i)));
    return nullptr;
  });
}

napi_value liveTensors(napi_env env, napi_callback_info) {
  return guarded(env, "liveTensors", [&] { return fromDouble(env, static_cast<double>(handles().live())); });
}

// Bytes held through handles, each storage counted once.
napi_value liveBytes(napi_env env, napi_callback_info) {
  return guarded(env, "liveBytes", [&] {
    std::unordered_set<const void*> seen;
    size_t total = 0;
    for (const auto& tensor : handles().slots()) {
      if (!tensor.defined() || !tensor.has_storage()) continue;
      const auto* storage = tensor.storage().unsafeGetStorageImpl();
      if (seen.insert(storage).second) total += storage->nbytes();
    }
    return fromDouble(env, static_cast<double>(total));
  });
}

}  // namespace

void registerTensors(napi_env env, napi_value exports) {
  expose(env, exports, "fromBytes", fromBytes);
  expose(env, exports, "toBytes", copyOut);
  expose(env, exports, "shape", shape);
  expose(env, exports, "strides", strides);
  expose(env, exports, "dtype", dtype);
  expose(env, exports, "device", device);
  expose(env, exports, "release", release);
  expose(env, exports, "liveTensors", liveTensors);
  expose(env, exports, "liveBytes", liveBytes);
}

}  // namespace openrs
