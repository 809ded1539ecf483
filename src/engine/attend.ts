import { type Attend, sdpa } from "../model/attend.js";
import { keep, ops, type Tensor, tensor } from "../torch/index.js";
import type { KvCache, Prefix } from "./cache.js";

// B rows, T positions, H query heads, G key/value heads, K head dimension, as in the model.

/** Prefill: plain causal attention over right-padded prompts that records every layer's keys and values. */
export class PrefillAttend implements Attend {
  readonly prefix: Prefix;
  readonly positions: Tensor;
  readonly length: number;

  constructor(lengths: readonly number[], device: string) {
    this.prefix = { keys: [], values: [], lengths: [...lengths] };
    this.length = Math.max(...lengths);
    this.positions = ops.arange(0, this.length, { dtype: "int64", device });
  }

  attend(layer: number, q_BHTK: Tensor, k_BGTK: Tensor, v_BGTK: Tensor): Tensor {
    // Right padding comes after every real token, so causality alone keeps it out of sight.
    // Kept beyond the layer's scope, until the cache has its copies.
    this.prefix.keys[layer] = keep(k_BGTK.transpose(1, 2));
    this.prefix.values[layer] = keep(v_BGTK.transpose(1, 2));
    return sdpa(q_BHTK, k_BGTK, v_BGTK, { isCausal: true });
  }
}

/** One decode step: each row's new key and value go into the cache at its own position, then attend to what is there. */
export class DecodeAttend implements Attend {
  readonly positions: Tensor;
  readonly #slots: Tensor;
  readonly #mask: Tensor | null;
  readonly length: number;

  /** `positions[row]`: how many tokens of the row are in the cache, which is where the new one goes. */
  constructor(
    private readonly cache: KvCache,
    positions: readonly number[],
    private readonly device: string,
  ) {
    const B = positions.length;
    this.length = Math.max(...positions) + 1;
    cache.reserve(this.length);
    const ints = (values: readonly number[]) => tensor([...values], [B], "int64").to(device);
    this.positions = ints(positions).unsqueeze(1);
    this.#slots = ints(positions.map((position, row) => row * cache.capacity + position));
    const even = positions.every((position) => position + 1 === this.length);
    this.#mask = even ? null : this.#lengthMask();
  }

  /** 0 where a row has a token, −∞ beyond its end: [B, 1, 1, T]. */
  #lengthMask(): Tensor {
    const t_T = ops.arange(0, this.length, { dtype: "int64", device: this.device });
    const beyond_BT = ops.gt(t_T.unsqueeze(0), this.positions);
    const mask = ops.zeros([this.positions.size(0), this.length], { dtype: this.cache.dtype, device: this.device });
    return ops.maskedFill_(mask, beyond_BT, Number.NEGATIVE_INFINITY).unsqueeze(1).unsqueeze(1);
  }

  attend(layer: number, q_BHTK: Tensor, k_BGTK: Tensor, v_BGTK: Tensor): Tensor {
    const [B, G, , K] = k_BGTK.shape as [number, number, number, number];
    const keys = this.cache.keys[layer]!;
    const values = this.cache.values[layer]!;
    ops.indexCopy_(keys.view(-1, G * K), 0, this.#slots, k_BGTK.reshape(B, G * K));
    ops.indexCopy_(values.view(-1, G * K), 0, this.#slots, v_BGTK.reshape(B, G * K));
    // The H/G query heads that share a key head stand as queries of it: no copy of keys, no repeated heads.
    const H = q_BHTK.size(1);
    const out = ops.scaledDotProductAttention(
      q_BHTK.reshape(B, G, H / G, K),
      keys.narrow(1, 0, this.length).transpose(1, 2),
      values.narrow(1, 0, this.length).transpose(1, 2),
      this.#mask ? { attnMask: this.#mask } : {},
    );
    return out.reshape(B, H, 1, K);
  }
}
