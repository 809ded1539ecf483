/**
 * How the tokens of one forward pass see each other. The layers compute q, k, v and leave the rest to an Attend: a causal pass over
 * padded rows or over packed sequences here, cached decoding in the engine. Layers stay the same.
 *
 * B rows, T tokens per row, H query heads, G key/value heads, K head dimension.
 */
import { cpuCapability, type DType, ops, runsOwn, type Tensor } from "../torch/index.js";
import type { ModelConfig } from "./config.js";
import type { RopeTable, Rotation } from "./rope.js";

/** What an Attend must know of the layer it serves. */
export interface AttentionLayer {
  readonly index: number;
  /** Tokens that a token sees, itself included; undefined: all before it. */
  readonly window: number | undefined;
}

export interface PlainAttend {
  /** Position of each token, int64 [T] (the same for every row) or [B, T]. */
  readonly positions: Tensor;
  /** All positions are below it. */
  readonly length: number;
  /** q already rotated, k rotated too (so it can be cached as it is). Returns [B, H, T, K]. */
  attend(layer: AttentionLayer, q_BHTK: Tensor, k_BGTK: Tensor, v_BGTK: Tensor): Tensor;
}

/** The same in one operator, rotation included (native/operators*.cc). */
export interface FusedAttend {
  /** From q, k and v of all heads side by side, [B, T, (H + 2G) K], not rotated yet, to [B, T, H K]. */
  attendFused(layer: AttentionLayer, qkv_BTC: Tensor, rope: RopeTable): Tensor;
}

export type Attend = PlainAttend | FusedAttend;

type HeadShape = Pick<ModelConfig, "heads" | "kvHeads" | "headDim">;

/**
 * Whether our CPU operator (native/operators*.cc) takes such a model's attention and is the faster one on this processor. It has no
 * windows: a FusedAttend sees to those.
 */
export function fusedOnCpu(
  model: { readonly device: string; readonly dtype: DType; readonly config: Pick<ModelConfig, "headDim" | "ropes"> },
  operator: "packed_attention" | "decode_attention" = "packed_attention",
): boolean {
  const { device, dtype, config } = model;
  const wholeHeads = config.ropes.every(({ partial }) => partial === 1);
  return device === "cpu" && config.headDim % 16 === 0 && wholeHeads && runsOwn(operator, dtype);
}

/** Whether no token of a sequence of `length` is too far from its first to see it. */
export const seesAll = ({ window }: Pick<AttentionLayer, "window">, length: number): boolean =>
  window === undefined || length <= window;

/** What `attend` takes, from q, k and v of all heads side by side. */
export function rotatedHeads(
  qkv_BTC: Tensor,
  rope: RopeTable,
  rotation: Rotation,
  { heads, kvHeads, headDim }: HeadShape,
): [q_BHTK: Tensor, k_BGTK: Tensor, v_BGTK: Tensor] {
  const byHead = qkv_BTC.view(qkv_BTC.size(0), qkv_BTC.size(1), heads + 2 * kvHeads, headDim);
  const [qk, v] = ops.splitSizes(byHead, [heads + kvHeads, kvHeads], { dim: 2 });
  const [q, k] = ops.splitSizes(rope.rotate(qk!, rotation), [heads, kvHeads], { dim: 2 });
  return [q!.transpose(1, 2), k!.transpose(1, 2), v!.transpose(1, 2)];
}

/** [B, H, T, K] → [B, T, H K] */
export function besideEachOther(out_BHTK: Tensor): Tensor {
  const [B, H, T, K] = out_BHTK.shape as [number, number, number, number];
  return out_BHTK.transpose(1, 2).reshape(B, T, H * K);
}

/**
 * Every token sees its row's earlier tokens. Rows start at position 0, so padding on the right needs no mask: no real token sees it,
 * and what padding computes is not used.
 */
export function causal(tokens: number, device = "cpu"): PlainAttend {
  return {
    positions: ops.arange(0, tokens, { dtype: "int64", device }),
    length: tokens,
    attend: causalSdpa,
  };
}

/** Each query sees the keys up to its own position, as far as the layer sees; the last query's is the last key's. */
export function causalSdpa(layer: Pick<AttentionLayer, "window">, q: Tensor, k: Tensor, v: Tensor): Tensor {
  const [queries, keys] = [q.size(2), k.size(2)];
  if (queries === keys && seesAll(layer, keys)) return sdpa(q, k, v, { isCausal: true });
  return sdpa(q, k, v, { attnMask: band(queries, keys, layer.window ?? keys, q.device) });
}

/** True where a query sees a key: its own position and window - 1 before it. */
function band(queries: number, keys: number, window: number, device: string): Tensor {
  const diagonal = keys - queries;
  const all = ops.ones([queries, keys], { dtype: "bool", device });
  return ops.triu(ops.tril(all, { diagonal }), { diagonal: diagonal - window + 1 });
}

/** Scaled dot-product attention over shared key/value heads. */
export function sdpa(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: { isCausal?: boolean; attnMask?: Tensor | null },
): Tensor {
  const enableGqa = q.size(1) !== k.size(1);
  if (q.dtype === "bfloat16" && q.device === "cpu" && (q.requiresGrad || cpuCapability() !== "AVX512")) {
    // libtorch's CPU attention takes 3 times longer backward in bfloat16 than in float32 (61 against 21 ms for 64 × 96 tokens). And on a
    // processor with AMX that ATEN_CPU_CAPABILITY limits, it fails forward too ("pack_vnni2 is only supported when avx512 is supported").
    const [qf, kf, vf] = [q.to("float32"), k.to("float32"), v.to("float32")];
    return ops.scaledDotProductAttention(qf, kf, vf, { ...options, enableGqa }).to("bfloat16");
  }
  return ops.scaledDotProductAttention(q, k, v, { ...options, enableGqa });
}
