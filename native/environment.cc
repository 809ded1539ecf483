#include "environment.h"

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#else
#include <pthread.h>
#endif

#include <mutex>
#include <thread>

#include "handles.h"

namespace openrs {
namespace {

struct Owner {
  std::mutex mutex;
  std::thread::id thread;
  int loads = 0;
};

Owner& owner() {
  static Owner* one = new Owner();
  return *one;
}

bool onMainThread() {
#ifdef __linux__
  return syscall(SYS_gettid) == getpid();
#else
  return pthread_main_np() != 0;
#endif
}

// A worker ends: its tensors go with it, and another thread may have libtorch. When the process itself ends nothing needs freeing,
// and libtorch's own statics may be on their way out.
void leave(void* env) {
  if (onMainThread()) return;
  forgetErrorFactory(static_cast<napi_env>(env));
  std::lock_guard<std::mutex> lock(owner().mutex);
  if (--owner().loads == 0) handles() = Handles();
}

}  // namespace

bool claim(napi_env env) {
  std::lock_guard<std::mutex> lock(owner().mutex);
  if (owner().loads > 0 && owner().thread != std::this_thread::get_id()) {
    napi_throw_error(env, "ERR_OPEN_RS_THREAD",
                     "another thread of this process computes with open-rs: libtorch works for one of them. Import what computes nothing "
                     "(open-rs/math in rewards), or start a process of its own (node:child_process)");
    return false;
  }
  owner().thread = std::this_thread::get_id();
  owner().loads++;
  napi_add_env_cleanup_hook(env, leave, env);
  return true;
}

}  // namespace openrs
