/** What a run computes in and what its optimizer keeps, chosen once at the start from recipe, checkpoint and machine. */
import { findBase } from "../model/lora/base.js";
import { isAdapterFolder, readAdapterConfig } from "../model/lora/config.js";
import type { GrpoRecipe } from "../recipe/index.js";
import type { DType } from "../torch/index.js";
import { isFloating } from "../torch/index.js";
import { loadSafetensors } from "../torch/safetensors.js";
import { cpuBfloat16 } from "../torch/system.js";

export type PrecisionKeys = Pick<GrpoRecipe, "dtype" | "bf16" | "force_dtype" | "master_weights" | "optim">;

export interface Precision {
  /** Of the weights the model computes with. */
  dtype: "float32" | "bfloat16" | "float16";
  /** For people. */
  why: string;
}

interface Place {
  /** What the checkpoint holds. */
  stored: DType;
  device: string;
  /** The processor's instructions for bfloat16 products, or null. */
  cpu: string | null;
}

/** `dtype` if the recipe gives one; else as `bf16` says; else bfloat16 for a half-precision checkpoint where the machine is fast at it. */
export function choosePrecision(keys: Pick<PrecisionKeys, "dtype" | "bf16" | "force_dtype">, place: Place): Precision {
  const asked = askedFor(keys, place);
  if (asked.dtype !== "bfloat16" || keys.force_dtype || place.device !== "cpu" || place.cpu !== null) return asked;
  return {
    dtype: "float32",
    why: `${asked.why}, but the processor has neither AVX512-BF16 nor AMX, and bfloat16 would be many times slower; --dtype bfloat16 takes it all the same`,
  };
}

function askedFor({ dtype, bf16 }: Pick<PrecisionKeys, "dtype" | "bf16">, place: Place): Precision {
  if (dtype !== "auto") {
    const overruled = bf16 === true && dtype !== "bfloat16" ? ", which wins over bf16: true" : "";
    return { dtype, why: `the recipe's dtype${overruled}` };
  }
  if (bf16 === true) return { dtype: "bfloat16", why: "bf16: true" };
  if (bf16 === false) return { dtype: "float32", why: "bf16: false" };
  return choose(place);
}

function choose({ stored, device, cpu }: Place): Precision {
  const holds = `the checkpoint holds ${stored}`;
  if (stored !== "bfloat16" && stored !== "float16") return { dtype: "float32", why: holds };
  if (device !== "cpu") return { dtype: "bfloat16", why: `${holds}, and a GPU is fast at bfloat16` };
  if (cpu !== null) return { dtype: "bfloat16", why: `${holds}, and the processor has ${cpu}` };
  return { dtype: "float32", why: `${holds}, but the processor has neither AVX512-BF16 nor AMX` };
}

/** The dtype to load `source`'s weights in, for training on `device`; says in one line what was chosen and why. */
export function precisionOf(
  recipe: PrecisionKeys,
  {
    source,
    device,
    log,
    checkpoint,
  }: { source: string; device: string; log: (line: string) => void; checkpoint?: string | undefined },
): { dtype: Precision["dtype"] } {
  const chosen = choosePrecision(recipe, { stored: storedDtype(source), device, cpu: cpuBfloat16() });
  const precision = checkpoint === undefined ? chosen : goingOn(chosen, checkpoint);
  log(describe(precision, recipe));
  return { dtype: precision.dtype };
}

/** A run that moved to another processor keeps the precision it began with: its optimizer has masters, or none. */
function goingOn(chosen: Precision, checkpoint: string): Precision {
  if (isAdapterFolder(checkpoint)) return chosen;
  const dtype = storedDtype(checkpoint);
  if (dtype === chosen.dtype || (dtype !== "float32" && dtype !== "bfloat16")) return chosen;
  return { dtype, why: "as the run began" };
}

function describe({ dtype, why }: Precision, { master_weights, optim }: PrecisionKeys): string {
  const updates = master_weights ? " with float32 masters" : ", updated by stochastic rounding";
  const moments = MOMENTS[optim] === "8bit" ? "8-bit" : MOMENTS[optim];
  return `precision: ${dtype} (${why})${dtype === "float32" ? "" : updates}; ${moments} optimizer moments`;
}

/** What a model folder's weights are stored in; of an adapter, its base model's. */
function storedDtype(folder: string): DType {
  const base = isAdapterFolder(folder) ? findBase(folder, readAdapterConfig(folder)) : folder;
  if (base === undefined) return "float32";
  const tensors = [...loadSafetensors(base).tensors.values()];
  const dtype = tensors.map((tensor) => tensor.dtype).find(isFloating) ?? "float32";
  for (const tensor of tensors) tensor.dispose();
  return dtype;
}

/** What each optimizer of transformers' names keeps AdamW's moments in; they do not differ in anything else here. */
export const MOMENTS: Readonly<Record<GrpoRecipe["optim"], "float32" | "bfloat16" | "8bit">> = {
  adamw_torch_fused: "float32",
  adamw_torch: "float32",
  adamw_hf: "float32",
  paged_adamw: "float32",
  paged_adamw_32bit: "float32",
  adamw_bf16: "bfloat16",
  adamw_8bit: "8bit",
  adamw_bnb_8bit: "8bit",
  adamw_torch_8bit: "8bit",
  paged_adamw_8bit: "8bit",
};
