/**
 * `npx tsx scripts/check-cuda-kernels.ts [libnvrtc.so.13]`: compiles native/cuda/*.cu for the cards it is meant for. Needs NVRTC (package
 * nvidia-cuda-nvrtc), no GPU.
 */
import { compileProgram, findNvrtc, KERNEL_TYPES, PROGRAMS, type Program } from "../src/torch/cuda-programs.js";
import type { DType } from "../src/torch/index.js";

const library = process.argv[2] ?? findNvrtc();
for (const capability of ["8.0", "8.6", "8.9", "9.0", "10.0"]) {
  for (const program of Object.keys(PROGRAMS) as Program[]) {
    for (const dtype of Object.keys(KERNEL_TYPES) as DType[]) {
      const start = performance.now();
      const [binary, names] = compileProgram(program, dtype, capability, library);
      const ms = (performance.now() - start).toFixed(0);
      console.log(
        `sm_${capability} ${program} ${dtype}: ${names.length} kernels, ${binary.byteLength} bytes, ${ms} ms`,
      );
    }
  }
}
