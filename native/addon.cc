// The module's entry: each file of this folder registers its own functions.
#include "environment.h"
#include "handles.h"

namespace openrs {
Handles& handles() {
  // Never destroyed: libtorch's own statics may be gone before ours when the process ends.
  static Handles* table = new Handles();
  return *table;
}
}  // namespace openrs

NAPI_MODULE_INIT() {
  using namespace openrs;
  if (!claim(env)) return nullptr;
  try {
    registerErrors(env, exports);
    registerDispatch(env, exports);
    registerTensors(env, exports);
    registerAutograd(env, exports);
    registerSystem(env, exports);
    registerCuda(env, exports);
    registerCudaKernels(env, exports);
    registerNvrtc(env, exports);
  } catch (const PendingException&) {
    return nullptr;
  }
  return exports;
}
