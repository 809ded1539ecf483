import { existsSync, readFileSync } from "node:fs";

/**
 * Has libtorch, which must not be loaded yet, use no more than this instruction set. libtorch takes what is named unasked: where the
 * processor lacks it, nothing is changed. Returns whether it was.
 */
export function limitTo(capability: "default" | "avx2"): boolean {
  const flags = existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : "";
  if (process.arch !== "x64" || (capability === "avx2" && !/ avx2 /.test(flags))) return false;
  process.env.ATEN_CPU_CAPABILITY = capability;
  return true;
}
