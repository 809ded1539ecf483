import { existsSync, readFileSync } from "node:fs";
import { native } from "./native.js";

export const torchVersion = (): string => native.version();
/** The vector instructions libtorch chose, e.g. AVX512. */
export const cpuCapability = (): string => native.cpuCapability();
export const getNumThreads = (): number => native.getNumThreads();
export const setNumThreads = (n: number): void => native.setNumThreads(n);
export const cudaDeviceCount = (): number => native.cudaDeviceCount();

/** The instructions for bfloat16 products that libtorch can use on this processor, AMX or AVX512-BF16, or null. */
export function cpuBfloat16(): string | null {
  if (!cpuCapability().startsWith("AVX512") || !existsSync("/proc/cpuinfo")) return null;
  const flags = new Set(/^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1]?.split(/\s+/));
  if (flags.has("amx_bf16")) return "AMX";
  return flags.has("avx512_bf16") ? "AVX512-BF16" : null;
}
