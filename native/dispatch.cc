// Calls any registered operator: looked up once by name and overload, its arguments converted by its own schema.
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/jit_type.h>
#include <c10/core/Device.h>

#include <sstream>

#include "handles.h"

namespace openrs {
namespace {

enum class Kind : uint8_t { Tensor, Int, Float, Bool, Scalar, String, Device, Dtype, Layout, MemoryFormat, Tensors, OptionalTensors, Ints, Floats, Bools, Other };

struct Argument {
  Kind kind;
  bool optional;
  bool hasDefault;
};

struct Operator {
  c10::OperatorHandle handle;
  std::string name;
  std::vector<Argument> arguments;
  std::vector<bool> writes;  // per return: an alias of a written argument, which JavaScript already holds
};

std::vector<Operator>& operators() {
  static auto* list = new std::vector<Operator>();
  return *list;
}

constexpr size_t kMaxArguments = 24;

Kind kindOf(const c10::Type& type) {
  using T = c10::TypeKind;
  switch (type.kind()) {
    case T::TensorType: return Kind::Tensor;
    case T::IntType:
    case T::SymIntType: return Kind::Int;
    case T::FloatType: return Kind::Float;
    case T::BoolType: return Kind::Bool;
    case T::NumberType: return Kind::Scalar;
    case T::StringType: return Kind::String;
    case T::DeviceObjType: return Kind::Device;
    case T::ScalarTypeType: return Kind::Dtype;
    case T::LayoutType: return Kind::Layout;
    case T::MemoryFormatType: return Kind::MemoryFormat;
    case T::ListType: {
      const auto& element = *type.castRaw<c10::ListType>()->getElementType();
      if (element.kind() == T::OptionalType) {
        return element.castRaw<c10::OptionalType>()->getElementType()->kind() == T::TensorType ? Kind::OptionalTensors : Kind::Other;
      }
      switch (kindOf(element)) {
        case Kind::Tensor: return Kind::Tensors;
        case Kind::Int: return Kind::Ints;
        case Kind::Float: return Kind::Floats;
        case Kind::Bool: return Kind::Bools;
        default: return Kind::Other;
      }
    }
    default: return Kind::Other;
  }
}

// The schema's "real" types keep ScalarType and Layout apart from int, the plain ones do not.
Argument argumentOf(const c10::Argument& argument) {
  const c10::Type* type = argument.real_type().get();
  bool optional = false;
  if (type->kind() == c10::TypeKind::OptionalType) {
    optional = true;
    type = type->castRaw<c10::OptionalType>()->getElementType().get();
  }
  return {kindOf(*type), optional, argument.default_value().has_value()};
}

c10::Scalar toScalar(napi_env env, napi_value v) {
  switch (typeOf(env, v)) {
    case napi_boolean: return toBool(env, v);
    case napi_bigint: {
      int64_t i;
      bool lossless;
      check(env, napi_get_value_bigint_int64(env, v, &i, &lossless));
      return i;
    }
    default: {
      // A JavaScript number that is whole is an integer scalar, as 2 is in Python.
      double d = toDouble(env, v);
      auto i = static_cast<int64_t>(d);
      if (static_cast<double>(i) == d && d > -9.0e15 && d < 9.0e15) return i;
      return d;
    }
  }
}

template <class T, class F>
c10::List<T> toList(napi_env env, napi_value v, F convert) {
  c10::List<T> out;
  if (!isArray(env, v)) {
    out.push_back(convert(v));
    return out;
  }
  uint32_t n = arrayLength(env, v);
  out.reserve(n);
  for (uint32_t i = 0; i < n; i++) out.push_back(convert(element(env, v, i)));
  return out;
}

bool isNone(napi_env env, napi_value v) {
  napi_valuetype t = typeOf(env, v);
  return t == napi_null || t == napi_undefined;
}

// libtorch takes the number of an enumeration unseen and looks it up in tables.
int64_t toCode(napi_env env, napi_value v, int64_t end, const char* what) {
  int64_t code = toInt64(env, v);
  if (code < 0 || code >= end) throw std::invalid_argument(std::string("there is no ") + what + " " + std::to_string(code));
  return code;
}

c10::IValue toIValue(napi_env env, const Argument& argument, napi_value v) {
  if (argument.optional && isNone(env, v)) return {};
  switch (argument.kind) {
    case Kind::Tensor: return toTensor(env, v);
    case Kind::Int: return toInt64(env, v);
    case Kind::Float: return toDouble(env, v);
    case Kind::Bool: return toBool(env, v);
    case Kind::Scalar: return toScalar(env, v);
    case Kind::String: return toString(env, v);
    case Kind::Device: return c10::Device(toString(env, v));
    case Kind::Dtype: return toCode(env, v, static_cast<int64_t>(at::ScalarType::NumOptions), "dtype");
    case Kind::Layout: return toCode(env, v, static_cast<int64_t>(at::Layout::NumOptions), "layout");
    case Kind::MemoryFormat: return toCode(env, v, static_cast<int64_t>(at::MemoryFormat::NumOptions), "memory format");
    case Kind::Ints: return toList<int64_t>(env, v, [&](napi_value e) { return toInt64(env, e); });
    case Kind::Floats: return toList<double>(env, v, [&](napi_value e) { return toDouble(env, e); });
    case Kind::Bools: return toList<bool>(env, v, [&](napi_value e) { return toBool(env, e); });
    case Kind::Tensors: return toList<at::Tensor>(env, v, [&](napi_value e) { return toTensor(env, e); });
    case Kind::OptionalTensors:
      return toList<std::optional<at::Tensor>>(
          env, v, [&](napi_value e) -> std::optional<at::Tensor> { return isNone(env, e) ? std::nullopt : std::optional(toTensor(env, e)); });
    case Kind::Other: break;
  }
  throw std::invalid_argument("an argument of this type cannot be passed from JavaScript");
}

napi_value fromIValue(napi_env env, const c10::IValue& value) {
  if (value.isTensor()) return fromInt32(env, handles().add(value.toTensor()));
  if (value.isInt()) return fromDouble(env, static_cast<double>(value.toInt()));
  if (value.isDouble()) return fromDouble(env, value.toDouble());
  if (value.isBool()) return fromBool(env, value.toBool());
  if (value.isNone()) return undefined(env);
  if (value.isScalar()) return fromDouble(env, value.toScalar().toDouble());
  if (value.isTensorList()) return toArray(env, value.toTensorVector(), [&](const at::Tensor& t) { return fromInt32(env, handles().add(t)); });
  if (value.isIntList()) return toArray(env, value.toIntVector(), [&](int64_t i) { return fromDouble(env, static_cast<double>(i)); });
  throw std::invalid_argument("a result of type " + value.tagKind() + " cannot be passed to JavaScript");
}

std::string describeArguments(napi_env env, const Operator& op, const napi_value* values, size_t count) {
  std::ostringstream out;
  const auto& schema = op.handle.schema().arguments();
  for (size_t i = 0; i < op.arguments.size() && i < count; i++) {
    if (isNone(env, values[i])) continue;
    const auto kind = op.arguments[i].kind;
    if (kind != Kind::Tensor && kind != Kind::Tensors) continue;
    out << (out.tellp() > 0 ? ", " : "") << schema[i].name() << ": ";
    if (kind == Kind::Tensor) {
      out << describe(toTensor(env, values[i]));
      continue;
    }
    out << '[';
    for (uint32_t k = 0, n = arrayLength(env, values[i]); k < n; k++) out << (k ? ", " : "") << describe(toTensor(env, element(env, values[i], k)));
    out << ']';
  }
  return out.str();
}

std::string disposedArguments(napi_env env, const Operator& op, const napi_value* values, size_t count) {
  const auto& schema = op.handle.schema().arguments();
  for (size_t i = 0; i < op.arguments.size() && i < count; i++) {
    if (op.arguments[i].kind != Kind::Tensor || isNone(env, values[i])) continue;
    try {
      toTensor(env, values[i]);
    } catch (const DisposedTensor&) {
      return schema[i].name();
    }
  }
  return "a tensor in a list";
}

void pushArguments(napi_env env, const Operator& op, const napi_value* values, size_t count, torch::jit::Stack& stack) {
  stack.reserve(op.arguments.size());
  for (size_t i = 0; i < op.arguments.size(); i++) {
    const Argument& argument = op.arguments[i];
    bool given = i < count && !(argument.hasDefault && typeOf(env, values[i]) == napi_undefined);
    if (given) {
      stack.push_back(toIValue(env, argument, values[i]));
    } else if (argument.hasDefault) {
      stack.push_back(*op.handle.schema().arguments()[i].default_value());
    } else {
      throw std::invalid_argument("missing argument '" + op.handle.schema().arguments()[i].name() + "'");
    }
  }
}

napi_value results(napi_env env, const Operator& op, const torch::jit::Stack& stack) {
  auto convert = [&](size_t i) { return op.writes[i] ? undefined(env) : fromIValue(env, stack[i]); };
  if (stack.empty()) return undefined(env);
  if (stack.size() == 1) return convert(0);
  napi_value out;
  check(env, napi_create_array_with_length(env, stack.size(), &out));
  for (uint32_t i = 0; i < stack.size(); i++) check(env, napi_set_element(env, out, i, convert(i)));
  return out;
}

// Reports the exception being handled, with the call's own arguments (which may be wrong themselves).
void throwFailure(napi_env env, const Operator& op, const napi_value* values, size_t count) {
  try {
    try {
      throw;
    } catch (const DisposedTensor&) {
      throwJs(env, "disposed", op.name, "", disposedArguments(env, op, values, count));
    } catch (const c10::Error& e) {
      throwJs(env, "torch", op.name, describeArguments(env, op, values, count), e.what_without_backtrace());
    } catch (const std::exception& e) {
      throwJs(env, "torch", op.name, describeArguments(env, op, values, count), e.what());
    }
  } catch (...) {
    rethrow(env, op.name.c_str());
  }
}

// call(id, ...arguments): arguments in schema order; undefined takes the schema's default.
napi_value call(napi_env env, napi_callback_info info) {
  napi_value values[kMaxArguments + 1];
  size_t count = kMaxArguments + 1;
  const Operator* op = nullptr;
  try {
    check(env, napi_get_cb_info(env, info, &count, values, nullptr, nullptr));
    op = &operators().at(static_cast<size_t>(toInt32(env, values[0])));
    torch::jit::Stack stack;
    pushArguments(env, *op, values + 1, count - 1, stack);
    op->handle.callBoxed(stack);
    return results(env, *op, stack);
  } catch (...) {
    if (op) throwFailure(env, *op, values + 1, count - 1);
    else rethrow(env, "call");
    return nullptr;
  }
}

// findOp(name, overload) -> id
napi_value findOp(napi_env env, napi_callback_info info) {
  return guarded(env, "findOp", [&] {
    Args<2> args(env, info);
    std::string name = toString(env, args[0]);
    std::string overload = toString(env, args[1]);
    auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
    std::string full = overload.empty() ? name : name + "." + overload;
    if (!handle) throw std::invalid_argument("this libtorch has no operator " + full);
    Operator op{*handle, full, {}, {}};
    for (const auto& argument : handle->schema().arguments()) op.arguments.push_back(argumentOf(argument));
    if (op.arguments.size() > kMaxArguments) throw std::invalid_argument(full + " has too many arguments");
    for (const auto& ret : handle->schema().returns()) op.writes.push_back(ret.alias_info() && ret.alias_info()->isWrite());
    operators().push_back(std::move(op));
    return fromInt32(env, static_cast<int32_t>(operators().size() - 1));
  });
}

// schemas() -> every registered operator's schema as text, for scripts/generate-ops.ts
napi_value schemas(napi_env env, napi_callback_info) {
  return guarded(env, "schemas", [&] {
    std::vector<std::string> lines;
    for (const auto& name : c10::Dispatcher::singleton().getAllOpNames()) {
      auto handle = c10::Dispatcher::singleton().findSchema(name);
      if (!handle) continue;
      std::ostringstream line;
      line << handle->schema();
      lines.push_back(line.str());
    }
    return toArray(env, lines, [&](const std::string& s) { return fromString(env, s); });
  });
}

}  // namespace

void registerDispatch(napi_env env, napi_value exports) {
  expose(env, exports, "call", call);
  expose(env, exports, "findOp", findOp);
  expose(env, exports, "schemas", schemas);
}

}  // namespace openrs
