import { existsSync, readFileSync } from "node:fs";
import { native } from "./native.js";

export const torchVersion = (): string => native.version();
/** The vector instructions libtorch chose, e.g. AVX512. */
export const cpuCapability = (): string => native.cpuCapability();

/** "linear_wide": linear layers of 512 inputs and more. */
export type OwnOperator =
  | "silu_mul"
  | "add_rms_norm"
  | "packed_attention"
  | "decode_attention"
  | "linear"
  | "linear_wide"
  | "draw";

/** Up to how many rows our CPU operators (native/) run in place of libtorch's on this processor: null is any number, 0 none. */
export interface OwnOperators {
  /** The instruction set of their loops. */
  kernels: string;
  operators: Record<OwnOperator, Record<"float32" | "bfloat16", number | null>>;
}

let own: OwnOperators | undefined;
export function ownOperators(): OwnOperators {
  own ??= JSON.parse(native.ownOperators()) as OwnOperators;
  return own;
}

/** For tests and measurements: all of them, none, or those measured to be faster, which is the default. */
export function setOwnOperators(mode: "all" | "none" | "measured"): void {
  native.setOwnOperators(mode);
  own = undefined;
}

/** Whether the operator is ours for CPU tensors of this dtype. */
export const runsOwn = (operator: OwnOperator, dtype: string): boolean =>
  (dtype === "float32" || dtype === "bfloat16") && ownOperators().operators[operator][dtype] !== 0;

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
