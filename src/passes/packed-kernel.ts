/** Whether training's attention over packed sequences may be FlashAttention's: on a GPU in half precision, where a small trial on it gives right numbers. */
import type { CausalLM } from "../model/decoder.js";
import { type DType, enableGrad, gradients, isCuda, scope, type Tensor, TorchError, tensor } from "../torch/index.js";
import { noise, relativeError } from "../torch/trial.js";
import { blockAttention, flashAttention, type PackedAttention, sequenceStarts } from "./attend-packed.js";

type Shape = Pick<CausalLM["config"], "heads" | "kvHeads" | "headDim"> & {
  kinds?: readonly { window?: number | undefined }[];
};

const known = new Map<string, string | null>();

/** Cards before compute capability 8.0 have no FlashAttention: there, and in float32, blocks go through scaled_dot_product_attention. */
export function takesVarlen({ device, dtype, config }: Pick<CausalLM, "device" | "dtype" | "config">): boolean {
  return varlenProblem(device, dtype, config) === null;
}

/** Why not; null: it does. Tried once per process. */
export function varlenProblem(device: string, dtype: DType, config: Shape): string | null {
  if (!isCuda(device)) return "FlashAttention runs on GPUs";
  if (dtype !== "bfloat16" && dtype !== "float16") return `FlashAttention knows no ${dtype}`;
  const key = `${device} ${dtype} ${config.heads}/${config.kvHeads} × ${config.headDim} ${windowsOf(config).length}`;
  const problem = known.has(key) ? known.get(key)! : packedTrial(flashOver, { device, dtype, config });
  known.set(key, problem);
  return problem;
}

/** Around the kernel's tiles. */
const TRIAL_LENGTHS = [3, 127, 128, 257];
const TRIAL_BLOCKS = TRIAL_LENGTHS.map((length) => ({ rows: 1, length }));

const flashOver: PackedAttention = (blocks, layer, q, k, v) => {
  const starts = tensor(sequenceStarts(blocks), undefined, "int32").to(q.device);
  return flashAttention(starts, Math.max(...blocks.map(({ length }) => length)), layer, q, k, v);
};

/** null if attention and its gradients are those of plain attention in float32 on the CPU; else what is wrong. */
export function packedTrial(
  attention: PackedAttention,
  { device, dtype, config }: { device: string; dtype: DType; config: Shape },
): string | null {
  return scope(() => {
    try {
      const errors = windowsOf(config).flatMap((window) => {
        const expected = results(blockAttention, { device: "cpu", dtype: "float32", given: dtype, config, window });
        const actual = results(attention, { device, dtype, given: dtype, config, window });
        return actual.map((t, i) => relativeError(t, expected[i]!));
      });
      const worst = Math.max(...errors);
      // Rounding is below 0.01 in bfloat16; a sequence left out is above 0.3.
      return worst < 0.03 ? null : `its numbers are off by ${worst.toPrecision(2)}`;
    } catch (error) {
      if (error instanceof TorchError) return error.message;
      throw error;
    }
  });
}

/** A layer that sees all, and one with a window that the trial's sequences outgrow, if the model has any. */
const windowsOf = ({ kinds = [] }: Shape): (number | undefined)[] =>
  kinds.some(({ window }) => window !== undefined) ? [undefined, 100] : [undefined];

interface Given {
  device: string;
  dtype: DType;
  /** What the numbers are rounded to first. */
  given: DType;
  config: Shape;
  window: number | undefined;
}

/** Output and gradients of q, k, v. */
function results(attention: PackedAttention, { device, dtype, given, config, window }: Given): Tensor[] {
  const tokens = TRIAL_LENGTHS.reduce((a, b) => a + b, 0);
  const leaf = (heads: number, salt: number): Tensor => {
    const t = noise([1, heads, tokens, config.headDim], salt, 3).to(given).to(dtype).to(device).detach();
    t.requiresGrad = true;
    return t;
  };
  return enableGrad(() => {
    const leaves = [leaf(config.heads, 1), leaf(config.kvHeads, 2), leaf(config.kvHeads, 3)] as const;
    const out = attention(TRIAL_BLOCKS, { index: 0, window }, ...leaves);
    const slope = noise(out.shape, 4).to(given).to(dtype).to(device);
    return [out.detach(), ...gradients(out, leaves, slope).map((t) => t!)];
  });
}
