// libtorch keeps state per thread (the grad mode) and per process (the random generator), and src/torch keeps its scopes per Node
// environment: tensors belong to the first environment of the process that uses them, until it ends.
#pragma once
#include <node_api.h>

namespace openrs {

// Takes this process's tensors for the environment. False, with a JavaScript error pending, where another thread has them.
bool claim(napi_env env);

}  // namespace openrs
