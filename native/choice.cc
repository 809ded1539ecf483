#include "choice.h"

#include <array>
#include <limits>
#include <sstream>

namespace openrs {
namespace {

constexpr int64_t kAlways = std::numeric_limits<int64_t>::max(), kNever = 0;

// Rows up to which our loops run.
struct Limits {
  const char* name;
  int64_t float32, bfloat16;
};

// In the order of Own. Linear layers of more rows than kFewRows are libtorch's in any case. A narrow one is done with its weights so soon
// that adding up across registers counts.
struct Choice {
  const char* name;
  const KernelTable& (*kernels)();
  std::array<Limits, 7> limits;
};

#if defined(__x86_64__)
constexpr Choice kAvx512{
    "avx512",
    avx512Kernels,
    {{{"silu_mul", kAlways, kAlways},
      {"add_rms_norm", kAlways, kAlways},
      {"packed_attention", kAlways, kAlways},
      {"decode_attention", kAlways, kAlways},
      {"linear", 4, 4},
      {"linear_wide", kFewRows, 2},
      {"draw", kAlways, kAlways}}}};
constexpr Choice kAvx2{
    "avx2",
    avx2Kernels,
    {{{"silu_mul", kAlways, kAlways},
      {"add_rms_norm", kAlways, kAlways},
      {"packed_attention", kAlways, kAlways},
      {"decode_attention", kAlways, kAlways},
      {"linear", 2, 4},
      {"linear_wide", kFewRows, 2},
      {"draw", kAlways, kAlways}}}};
#endif
#if defined(__aarch64__)
// NEON: not measured, so as with AVX2; but linear layers stay with libtorch, whose own loops for one row are made for it.
constexpr Choice kBaseline{
    "neon",
    baselineKernels,
    {{{"silu_mul", kAlways, kAlways},
      {"add_rms_norm", kAlways, kAlways},
      {"packed_attention", kAlways, kAlways},
      {"decode_attention", kAlways, kAlways},
      {"linear", kNever, kNever},
      {"linear_wide", kNever, kNever},
      {"draw", kAlways, kAlways}}}};
#else
constexpr Choice kBaseline{
    "baseline",
    baselineKernels,
    {{{"silu_mul", kAlways, kAlways},
      {"add_rms_norm", kAlways, kAlways},
      {"packed_attention", kNever, kNever},
      {"decode_attention", kNever, kAlways},
      {"linear", kNever, kNever},
      {"linear_wide", kNever, kNever},
      {"draw", kNever, kNever}}}};
#endif

const Choice& choice() {
  static const Choice& chosen = []() -> const Choice& {
#if defined(__x86_64__)
    const std::string capability = at::get_cpu_capability();
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                        __builtin_cpu_supports("avx512dq");
    if (capability == "AVX512" && avx512) return kAvx512;
    if (capability == "AVX2" && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return kAvx2;
#endif
    return kBaseline;
  }();
  return chosen;
}

std::string mode = "measured";

int64_t limitOf(const Limits& limits, at::ScalarType dtype) {
  const auto is = [&](Own which) { return &limits == &choice().limits[static_cast<size_t>(which)]; };
  const bool linear = is(Own::Linear) || is(Own::LinearWide);
  if (mode != "measured") return mode == "none" ? kNever : linear ? kFewRows : kAlways;
  return dtype == at::kFloat ? limits.float32 : limits.bfloat16;
}

}  // namespace

const KernelTable& kernelTable() { return choice().kernels(); }

bool runsOwn(Own which, at::ScalarType dtype, int64_t rows) { return rows <= limitOf(choice().limits[static_cast<size_t>(which)], dtype); }

void setOwn(const std::string& wanted) {
  TORCH_CHECK(wanted == "all" || wanted == "none" || wanted == "measured", "own operators: all, none or measured, not ", wanted);
  mode = wanted;
}

std::string describeOwn() {
  std::ostringstream out;
  out << "{\"kernels\":\"" << choice().name << "\",\"operators\":{";
  const char* separator = "";
  const auto number = [&](int64_t limit) { return limit == kAlways ? std::string("null") : std::to_string(limit); };
  for (const Limits& limits : choice().limits) {
    out << separator << '"' << limits.name << "\":{\"float32\":" << number(limitOf(limits, at::kFloat))
        << ",\"bfloat16\":" << number(limitOf(limits, at::kBFloat16)) << '}';
    separator = ",";
  }
  out << "}}";
  return out.str();
}

}  // namespace openrs
