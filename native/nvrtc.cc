// NVRTC, CUDA's compiler as a library: PyTorch brings it where it brings no nvcc. Opened when first asked for; needs no GPU and no headers.
#include <dlfcn.h>

#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "handles.h"

namespace openrs {
namespace {

// As nvrtc.h declares them.
using Program = struct ProgramOf*;
struct Nvrtc {
  int (*create)(Program*, const char* source, const char* name, int headers, const char* const* texts, const char* const* names);
  int (*destroy)(Program*);
  int (*compile)(Program, int options, const char* const* texts);
  int (*addName)(Program, const char* expression);
  int (*loweredName)(Program, const char* expression, const char** lowered);
  int (*binarySize)(Program, size_t*);
  int (*binary)(Program, char*);
  int (*logSize)(Program, size_t*);
  int (*log)(Program, char*);
  const char* (*describe)(int);
};

template <class F>
void look(void* library, const char* name, F*& function) {
  function = reinterpret_cast<F*>(dlsym(library, name));
  if (!function) throw std::runtime_error(std::string("NVRTC has no ") + name);
}

// NVRTC opens its built-in functions by name alone; in pip's packages they lie beside it, where the loader does not look.
void openBuiltins(const std::filesystem::path& library) {
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(library.parent_path(), none)) {
    if (entry.path().filename().string().rfind("libnvrtc-builtins.so", 0) == 0) dlopen(entry.path().c_str(), RTLD_LAZY | RTLD_GLOBAL);
  }
}

const Nvrtc& nvrtcOf(const std::string& path) {
  static Nvrtc nvrtc;
  static bool loaded = false;
  if (loaded) return nvrtc;
  void* library = dlopen(path.c_str(), RTLD_LAZY);
  if (!library) throw std::runtime_error(dlerror());
  openBuiltins(path);
  look(library, "nvrtcCreateProgram", nvrtc.create);
  look(library, "nvrtcDestroyProgram", nvrtc.destroy);
  look(library, "nvrtcCompileProgram", nvrtc.compile);
  look(library, "nvrtcAddNameExpression", nvrtc.addName);
  look(library, "nvrtcGetLoweredName", nvrtc.loweredName);
  look(library, "nvrtcGetCUBINSize", nvrtc.binarySize);
  look(library, "nvrtcGetCUBIN", nvrtc.binary);
  look(library, "nvrtcGetProgramLogSize", nvrtc.logSize);
  look(library, "nvrtcGetProgramLog", nvrtc.log);
  look(library, "nvrtcGetErrorString", nvrtc.describe);
  loaded = true;
  return nvrtc;
}

class Compilation {
 public:
  Compilation(const Nvrtc& nvrtc, const std::string& source, const std::string& name) : nvrtc_(nvrtc) {
    must(nvrtc_.create(&program_, source.c_str(), name.c_str(), 0, nullptr, nullptr));
  }
  ~Compilation() { nvrtc_.destroy(&program_); }
  Compilation(const Compilation&) = delete;

  void compile(const std::vector<std::string>& options, const std::vector<std::string>& expressions) {
    for (const auto& expression : expressions) must(nvrtc_.addName(program_, expression.c_str()));
    std::vector<const char*> texts;
    for (const auto& option : options) texts.push_back(option.c_str());
    const int status = nvrtc_.compile(program_, static_cast<int>(texts.size()), texts.data());
    if (status != 0) throw std::runtime_error(std::string(nvrtc_.describe(status)) + "\n" + log());
  }

  std::string lowered(const std::string& expression) {
    const char* name = nullptr;
    must(nvrtc_.loweredName(program_, expression.c_str(), &name));
    return name;
  }

  std::string binary() {
    size_t size = 0;
    must(nvrtc_.binarySize(program_, &size));
    std::string bytes(size, '\0');
    must(nvrtc_.binary(program_, bytes.data()));
    return bytes;
  }

 private:
  std::string log() {
    size_t size = 0;
    must(nvrtc_.logSize(program_, &size));
    std::string text(size, '\0');
    must(nvrtc_.log(program_, text.data()));
    return text;
  }
  void must(int status) const {
    if (status != 0) throw std::runtime_error(std::string("NVRTC: ") + nvrtc_.describe(status));
  }

  const Nvrtc& nvrtc_;
  Program program_ = nullptr;
};

std::vector<std::string> toStrings(napi_env env, napi_value v) {
  std::vector<std::string> out;
  for (uint32_t i = 0, n = arrayLength(env, v); i < n; i++) out.push_back(toString(env, element(env, v, i)));
  return out;
}

// nvrtcCompile(library, source, name, options, expressions) -> [binary, name of each expression's kernel in it]
napi_value nvrtcCompile(napi_env env, napi_callback_info info) {
  return guarded(env, "nvrtcCompile", [&] {
    Args<5> args(env, info);
    Compilation compilation(nvrtcOf(toString(env, args[0])), toString(env, args[1]), toString(env, args[2]));
    const auto expressions = toStrings(env, args[4]);
    compilation.compile(toStrings(env, args[3]), expressions);
    const std::string binary = compilation.binary();
    void* bytes = nullptr;
    napi_value buffer, out;
    check(env, napi_create_arraybuffer(env, binary.size(), &bytes, &buffer));
    std::memcpy(bytes, binary.data(), binary.size());
    const napi_value names = toArray(env, expressions, [&](const std::string& e) { return fromString(env, compilation.lowered(e)); });
    check(env, napi_create_array_with_length(env, 2, &out));
    check(env, napi_set_element(env, out, 0, buffer));
    check(env, napi_set_element(env, out, 1, names));
    return out;
  });
}

}  // namespace

void registerNvrtc(napi_env env, napi_value exports) { expose(env, exports, "nvrtcCompile", nvrtcCompile); }

}  // namespace openrs
