{
  # Variables come from scripts/lib/build.mjs: torch_root, torch_cuda, cuda_include, has_libtorch, compiler.
  "targets": [
    {
      "target_name": "open_rs",
      "sources": ["<!@(node -p \"require('node:fs').readdirSync('native').filter(n => n.endsWith('.cc')).sort().map(n => 'native/' + n).join(' ')\")"],
      "defines": ["NAPI_VERSION=8", "_GLIBCXX_USE_CXX11_ABI=1"],
      # libtorch's headers are not ours to warn about.
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20", "-O3"],
      "cflags_cc": [
        "-std=c++20", "-O2", "-fexceptions", "-frtti", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wno-psabi",
        "-isystem<(torch_root)/include", "-isystem<(torch_root)/include/torch/csrc/api/include"
      ],
      "libraries": ["-L<(torch_root)/lib", "-Wl,-rpath,<(torch_root)/lib", "-ltorch_cpu", "-lc10"],
      "conditions": [
        ["has_libtorch==1 and OS!='mac'", { "libraries": ["-Wl,--no-as-needed", "-ltorch"] }],
        # at::parallel_for is in libtorch's headers. Compiled for OpenMP, but not linked with it: the threads are libtorch's own, the
        # symbols come with libtorch_cpu. Clang would ask for another runtime than libtorch's; without, our loops run on one thread.
        ["compiler=='gcc'", { "cflags_cc": ["-fopenmp"] }],
        ["torch_cuda==1", {
          "defines": ["OPEN_RS_CUDA=1"],
          "libraries": ["-Wl,--no-as-needed", "-ltorch_cuda", "-lc10_cuda"]
        }],
        ["cuda_include!=''", {
          "defines": ["OPEN_RS_CUDA_HEADERS=1"],
          "cflags_cc": ["-isystem<(cuda_include)"]
        }],
        ["OS=='mac'", {
          "xcode_settings": {
            "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
            "CLANG_CXX_LIBRARY": "libc++",
            "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
            "GCC_ENABLE_CPP_RTTI": "YES",
            "MACOSX_DEPLOYMENT_TARGET": "13.0",
            "OTHER_CPLUSPLUSFLAGS": [
              "-Wall", "-Wextra",
              "-isystem<(torch_root)/include", "-isystem<(torch_root)/include/torch/csrc/api/include"
            ]
          }
        }]
      ]
    }
  ]
}
