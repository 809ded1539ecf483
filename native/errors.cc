// libtorch's errors as JavaScript errors: operator, arguments, libtorch's own message, no C++ backtrace.
#include <c10/util/Exception.h>

#include <sstream>

#include "handles.h"

namespace openrs {
namespace {

// Of the one environment that has the addon (environment.cc).
napi_env factoryEnv = nullptr;
napi_ref errorFactory = nullptr;

napi_value setErrorFactory(napi_env env, napi_callback_info info) {
  return guarded(env, "setErrorFactory", [&]() -> napi_value {
    Args<1> args(env, info);
    if (typeOf(env, args[0]) != napi_function) throw std::invalid_argument("the error factory must be a function");
    napi_ref fresh;
    check(env, napi_create_reference(env, args[0], 1, &fresh));
    if (errorFactory) napi_delete_reference(factoryEnv, errorFactory);
    factoryEnv = env;
    errorFactory = fresh;
    return nullptr;
  });
}

void callFactory(napi_env env, napi_value factory, const char* kind, const std::string& op, const std::string& args, const std::string& message) {
  napi_value global;
  napi_value error;
  napi_value argv[4] = {fromString(env, kind), fromString(env, op), fromString(env, args), fromString(env, message)};
  check(env, napi_get_global(env, &global));
  check(env, napi_call_function(env, global, factory, 4, argv, &error));
  check(env, napi_throw(env, error));
}

}  // namespace

std::string describe(const at::Tensor& tensor) {
  std::ostringstream out;
  out << c10::toString(tensor.scalar_type()) << '[';
  for (int64_t i = 0; i < tensor.dim(); i++) out << (i ? ", " : "") << tensor.size(i);
  out << ']';
  return out.str();
}

void throwJs(napi_env env, const char* kind, const std::string& op, const std::string& args, const std::string& message) {
  napi_value factory = nullptr;
  if (!errorFactory || factoryEnv != env || napi_get_reference_value(env, errorFactory, &factory) != napi_ok || !factory) {
    napi_throw_error(env, kind, (op + ": " + message).c_str());
    return;
  }
  try {
    callFactory(env, factory, kind, op, args, message);
  } catch (const PendingException&) {
  }
}

void forgetErrorFactory(napi_env env) {
  if (factoryEnv != env) return;
  // The reference goes with its environment.
  factoryEnv = nullptr;
  errorFactory = nullptr;
}

void rethrow(napi_env env, const char* what) {
  try {
    throw;
  } catch (const PendingException&) {
  } catch (const DisposedTensor&) {
    throwJs(env, "disposed", what, "", "the tensor was disposed");
  } catch (const c10::Error& e) {
    throwJs(env, "torch", what, "", e.what_without_backtrace());
  } catch (const std::exception& e) {
    throwJs(env, "torch", what, "", e.what());
  } catch (...) {
    throwJs(env, "torch", what, "", "an unknown C++ exception");
  }
}

void registerErrors(napi_env env, napi_value exports) { expose(env, exports, "setErrorFactory", setErrorFactory); }

}  // namespace openrs
