import {
  type Attend,
  type AttentionLayer,
  besideEachOther,
  causalSdpa,
  type FusedAttend,
  type PlainAttend,
  rotatedHeads,
  seesAll,
} from "../model/attend.js";
import type { RopeTable } from "../model/rope.js";
import { keep, ops, type Tensor, tensor } from "../torch/index.js";
import type { KvCache, Prefix } from "./cache.js";

// B rows, T positions, H query heads, G key/value heads, K head dimension, as in the model; R = H/G query heads per key head.

/** Prefill: plain causal attention over right-padded prompts that records every layer's keys and values. */
export class PrefillAttend implements PlainAttend {
  readonly prefix: Prefix;
  readonly positions: Tensor;
  readonly length: number;

  constructor(lengths: readonly number[], device: string) {
    this.prefix = { keys: [], values: [], lengths: [...lengths] };
    this.length = Math.max(...lengths);
    this.positions = ops.arange(0, this.length, { dtype: "int64", device });
  }

  attend(layer: AttentionLayer, q_BHTK: Tensor, k_BGTK: Tensor, v_BGTK: Tensor): Tensor {
    // Right padding comes after every real token, so causality alone keeps it out of sight.
    // Kept beyond the layer's scope, until the cache has its copies.
    this.prefix.keys[layer.index] = keep(k_BGTK.detach());
    this.prefix.values[layer.index] = keep(v_BGTK.detach());
    return causalSdpa(layer, q_BHTK, k_BGTK, v_BGTK);
  }
}

/** One decode step over the cache; makes room in it for every row's new token. The pass is over the cache's paddedRows. */
export function decodeAttend(cache: KvCache, device: string): Attend {
  const positions = Array.from({ length: cache.paddedRows }, (_, row) => (row < cache.rows ? cache.lengthOf(row) : 0));
  cache.advance();
  return cache.fused ? new FusedDecodeAttend(cache, positions) : new DecodeAttend(cache, positions, device);
}

/**
 * One decode step in our own operator: rotation, cache write and attention of all rows. It knows no windows: layers that do not see
 * all of the longest row take libtorch's operators.
 */
class FusedDecodeAttend implements FusedAttend {
  constructor(
    private readonly cache: KvCache,
    private readonly positions: readonly number[],
  ) {}

  attendFused(layer: AttentionLayer, qkv_B1C: Tensor, rope: RopeTable): Tensor {
    const { kvHeads, headDim } = this.cache.shape;
    const heads = qkv_B1C.size(2) / headDim - 2 * kvHeads;
    if (!seesAll(layer, this.cache.width)) {
      const plain = new DecodeAttend(this.cache, this.positions, "cpu");
      const rotation = rope.at(plain.positions, plain.length);
      return besideEachOther(
        plain.attend(layer, ...rotatedHeads(qkv_B1C, rope, rotation, { heads, kvHeads, headDim })),
      );
    }
    const { keys, values, starts, end } = this.cache.memory(layer.index);
    const { cos_NK, sin_NK } = rope.upTo(this.cache.width);
    const out_BC = ops.decodeAttention(qkv_B1C.squeeze(1), keys, values, starts, end, cos_NK, sin_NK, heads);
    return out_BC.unsqueeze(1);
  }
}

/**
 * One decode step: every row's new key and value go into the cache, then attend to what is there. Two batched products and a
 * softmax: for one query per row they take half as long on a CPU as scaled_dot_product_attention does in bfloat16, and no longer in
 * float32 (docs/decisions.md).
 */
class DecodeAttend implements PlainAttend {
  readonly positions: Tensor;
  readonly length: number;

  constructor(
    private readonly cache: KvCache,
    positions: readonly number[],
    device: string,
  ) {
    this.length = Math.max(...positions) + 1;
    this.positions = tensor([...positions], [positions.length, 1], "int64").to(device);
  }

  attend(layer: AttentionLayer, q_BHTK: Tensor, k_BGTK: Tensor, v_BGTK: Tensor): Tensor {
    const [B, G, , K] = k_BGTK.shape as [number, number, number, number];
    const H = q_BHTK.size(1);
    this.cache.write(layer.index, k_BGTK, v_BGTK);
    const { keys, values } = this.cache.read(layer.index, layer.window);
    // baddbmm adds something: a zero, where no row has to be told what not to see.
    const mask = this.cache.mask(layer.window) ?? ops.zeros([1], { dtype: q_BHTK.dtype, device: q_BHTK.device });
    // The R query heads that share a key head stand as queries of it: no copy of keys, no repeated heads.
    const q = q_BHTK.reshape(B * G, H / G, K);
    const scores = ops.baddbmm(mask, q, keys, { alpha: 1 / Math.sqrt(K) });
    const p = ops.softmax(scores, -1, { dtype: "float32" }).to(this.cache.dtype);
    return ops.bmm(p, values).view(B, H, 1, K);
  }
}
