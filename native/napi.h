// Small helpers over plain N-API, shared by the addon's files. No libtorch here.
#pragma once
#include <node_api.h>

#include <cstdint>
#include <string>
#include <vector>

namespace openrs {

// Thrown when a JavaScript exception is already pending: unwinds to the callback's edge without a second throw.
struct PendingException {};

inline void check(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) {
    const napi_extended_error_info* info = nullptr;
    napi_get_last_error_info(env, &info);
    napi_throw_type_error(env, nullptr, info && info->error_message ? info->error_message : "N-API call failed");
  }
  throw PendingException{};
}

template <size_t N>
struct Args {
  size_t count = N;
  napi_value at[N];
  Args(napi_env env, napi_callback_info info) { check(env, napi_get_cb_info(env, info, &count, at, nullptr, nullptr)); }
  napi_value operator[](size_t i) const { return at[i]; }
};

inline double toDouble(napi_env env, napi_value v) {
  double d;
  check(env, napi_get_value_double(env, v, &d));
  return d;
}

inline int64_t toInt64(napi_env env, napi_value v) {
  int64_t i;
  check(env, napi_get_value_int64(env, v, &i));
  return i;
}

inline int32_t toInt32(napi_env env, napi_value v) {
  int32_t i;
  check(env, napi_get_value_int32(env, v, &i));
  return i;
}

inline bool toBool(napi_env env, napi_value v) {
  bool b;
  check(env, napi_get_value_bool(env, v, &b));
  return b;
}

inline std::string toString(napi_env env, napi_value v) {
  size_t length;
  check(env, napi_get_value_string_utf8(env, v, nullptr, 0, &length));
  std::string s(length, '\0');
  check(env, napi_get_value_string_utf8(env, v, s.data(), length + 1, &length));
  return s;
}

inline napi_valuetype typeOf(napi_env env, napi_value v) {
  napi_valuetype t;
  check(env, napi_typeof(env, v, &t));
  return t;
}

inline bool isArray(napi_env env, napi_value v) {
  bool yes;
  check(env, napi_is_array(env, v, &yes));
  return yes;
}

inline uint32_t arrayLength(napi_env env, napi_value v) {
  uint32_t n;
  check(env, napi_get_array_length(env, v, &n));
  return n;
}

inline napi_value element(napi_env env, napi_value array, uint32_t i) {
  napi_value v;
  check(env, napi_get_element(env, array, i, &v));
  return v;
}

inline std::vector<int64_t> toInts(napi_env env, napi_value v) {
  if (!isArray(env, v)) return {toInt64(env, v)};
  std::vector<int64_t> out(arrayLength(env, v));
  for (uint32_t i = 0; i < out.size(); i++) out[i] = toInt64(env, element(env, v, i));
  return out;
}

inline napi_value fromDouble(napi_env env, double d) {
  napi_value v;
  check(env, napi_create_double(env, d, &v));
  return v;
}

inline napi_value fromInt32(napi_env env, int32_t i) {
  napi_value v;
  check(env, napi_create_int32(env, i, &v));
  return v;
}

inline napi_value fromBool(napi_env env, bool b) {
  napi_value v;
  check(env, napi_get_boolean(env, b, &v));
  return v;
}

inline napi_value fromString(napi_env env, const std::string& s) {
  napi_value v;
  check(env, napi_create_string_utf8(env, s.data(), s.size(), &v));
  return v;
}

inline napi_value undefined(napi_env env) {
  napi_value v;
  check(env, napi_get_undefined(env, &v));
  return v;
}

template <class T, class F>
napi_value toArray(napi_env env, const T& items, F convert) {
  napi_value out;
  check(env, napi_create_array_with_length(env, items.size(), &out));
  for (uint32_t i = 0; i < items.size(); i++) check(env, napi_set_element(env, out, i, convert(items[i])));
  return out;
}

}  // namespace openrs
