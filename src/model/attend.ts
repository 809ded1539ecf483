/**
 * How the tokens of one forward pass see each other. The layers compute q, k, v and leave the rest to an Attend: a causal pass over
 * padded rows or over packed sequences here, cached decoding in the engine. Layers stay the same.
 *
 * B rows, T tokens per row, H query heads, G key/value heads, K head dimension.
 */
import { type DType, ops, type Tensor } from "../torch/index.js";
import type { RopeTable } from "./rope.js";

export interface PlainAttend {
  /** Position of each token, int64 [T] (the same for every row) or [B, T]. */
  readonly positions: Tensor;
  /** All positions are below it. */
  readonly length: number;
  /** q already rotated, k rotated too (so it can be cached as it is). Returns [B, H, T, K]. */
  attend(layer: number, q_BHTK: Tensor, k_BGTK: Tensor, v_BGTK: Tensor): Tensor;
}

/** The same in one operator, rotation included (native/operators*.cc). */
export interface FusedAttend {
  /** From q, k and v of all heads side by side, [B, T, (H + 2G) K], not rotated yet, to [B, T, H K]. */
  attendFused(layer: number, qkv_BTC: Tensor, rope: RopeTable): Tensor;
}

export type Attend = PlainAttend | FusedAttend;

/** Whether our CPU operators (native/operators*.cc) take such a model's attention. */
export function fusedOnCpu(model: {
  readonly device: string;
  readonly dtype: DType;
  readonly config: { readonly headDim: number };
}): boolean {
  const { device, dtype, config } = model;
  return device === "cpu" && (dtype === "float32" || dtype === "bfloat16") && config.headDim % 16 === 0;
}

/**
 * Every token sees its row's earlier tokens. Rows start at position 0, so padding on the right needs no mask: no real token sees it,
 * and what padding computes is not used.
 */
export function causal(tokens: number, device = "cpu"): PlainAttend {
  return {
    positions: ops.arange(0, tokens, { dtype: "int64", device }),
    length: tokens,
    attend: (_layer, q, k, v) => sdpa(q, k, v, { isCausal: true }),
  };
}

/** Scaled dot-product attention over shared key/value heads. */
export function sdpa(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: { isCausal?: boolean; attnMask?: Tensor | null },
): Tensor {
  const enableGqa = q.size(1) !== k.size(1);
  if (q.dtype === "bfloat16" && q.requiresGrad && q.device === "cpu") {
    // libtorch's CPU attention takes 3 times longer backward in bfloat16 than in float32 (61 against 21 ms for 64 × 96 tokens).
    const [qf, kf, vf] = [q.to("float32"), k.to("float32"), v.to("float32")];
    return ops.scaledDotProductAttention(qf, kf, vf, { ...options, enableGqa }).to("bfloat16");
  }
  return ops.scaledDotProductAttention(q, k, v, { ...options, enableGqa });
}
