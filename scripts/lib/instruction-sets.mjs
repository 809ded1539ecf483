/** native/kernels/kernels.cc is compiled once for each instruction set, as libtorch compiles its own loops. */

const SETS = {
  x64: {
    avx2: { capability: "AVX2", flags: ["-mavx2", "-mfma", "-mf16c"] },
    avx512: {
      capability: "AVX512",
      flags: ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mfma", "-mf16c"],
    },
  },
};

/** Each with the name of its object and its flags, for `arch` as Node calls it; what runs everywhere (SSE2, NEON) comes first. */
export function instructionSets(arch, compiler) {
  const sets = { baseline: { capability: "DEFAULT", flags: [] }, ...SETS[arch] };
  // GCC's own AVX-512 intrinsics are built on a value that is not set.
  const quiet = compiler === "gcc" ? ["-Wno-uninitialized", "-Wno-maybe-uninitialized"] : [];
  return Object.entries(sets).map(([name, { capability, flags }]) => ({
    object: `kernels_${name}.o`,
    flags: [
      `-DKERNELS=${name}Kernels`,
      `-DCPU_CAPABILITY=${capability}`,
      `-DCPU_CAPABILITY_${capability}`,
      ...flags,
      ...(flags.length > 0 ? quiet : []),
    ],
  }));
}
