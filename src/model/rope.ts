/**
 * Rotary position embeddings (Su et al. 2021, arXiv 2104.09864), in the half-split layout of Hugging Face checkpoints:
 * rotate(x) = x · cos + (−x₂, x₁) · sin. With the first half of sin negated, (−x₂, x₁) · sin is a roll by K/2 times that table,
 * so a rotation is three operators.
 *
 * K head dimension, N positions, P any shape of positions, H heads.
 */
import { type DType, keep, ops, scope, type Tensor, tensor } from "../torch/index.js";
import type { RopeConfig } from "./rope-config.js";
import { inverseFrequencies } from "./rope-frequencies.js";

/** Cosines and signed sines of some positions, [P, 1, K]: broadcast over the heads of x [P, H, K]. */
export interface Rotation {
  cos_P1K: Tensor;
  sin_P1K: Tensor;
}

/** The table of all positions up to the longest seen; it grows by doubling. */
export class RopeTable {
  private readonly frequencies: Float32Array;
  /** How many of a head's dimensions turn. */
  private readonly turned: number;
  private table: { cos_NK: Tensor; sin_NK: Tensor; length: number } | undefined;

  constructor(
    private readonly rope: RopeConfig,
    private readonly headDim: number,
    private readonly dtype: DType,
    private readonly device: string,
  ) {
    this.turned = Math.trunc(headDim * rope.partial);
    this.frequencies = inverseFrequencies(rope, this.turned);
  }

  /** The rotation of `positions` (int64), all of them below `length`. */
  at(positions_P: Tensor, length: number): Rotation {
    const { cos_NK, sin_NK } = this.upTo(length);
    return {
      cos_P1K: ops.embedding(cos_NK, positions_P).unsqueeze(-2),
      sin_P1K: ops.embedding(sin_NK, positions_P).unsqueeze(-2),
    };
  }

  /** Frees the table. */
  dispose(): void {
    this.table?.cos_NK.dispose();
    this.table?.sin_NK.dispose();
    this.table = undefined;
  }

  /** The table of the positions below `length`, at least. */
  upTo(length: number) {
    if (this.table === undefined || this.table.length < length) {
      this.dispose();
      this.table = this.build(2 ** Math.ceil(Math.log2(Math.max(length, 64))));
    }
    return this.table;
  }

  private build(length: number) {
    const tables = scope(() => {
      const positions_N1 = ops.arange(0, length, { dtype: "float32" }).unsqueeze(-1);
      const angles = positions_N1.mul(tensor(this.frequencies));
      const { magnitude } = this.rope;
      const sized = (t: Tensor) => (magnitude === 1 ? t : ops.mul_(t, magnitude));
      const [sin, cos] = [sized(ops.sin(angles)), sized(ops.cos(angles))];
      const place = (t: Tensor) => t.to(this.dtype).to(this.device);
      return {
        cos_NK: place(ops.cat([cos, cos], { dim: -1 })),
        sin_NK: place(ops.cat([sin.neg(), sin], { dim: -1 })),
      };
    });
    return { cos_NK: keep(tables.cos_NK), sin_NK: keep(tables.sin_NK), length };
  }

  /** x [P, H, K] turned by each token's position. */
  rotate(x_PHK: Tensor, rotation: Rotation): Tensor {
    const rest = this.headDim - this.turned;
    if (rest === 0) return this.turn(x_PHK, rotation);
    const [first, last] = ops.splitSizes(x_PHK, [this.turned, rest], { dim: -1 });
    return ops.cat([this.turn(first!, rotation), last!], { dim: -1 });
  }

  private turn(x_PHK: Tensor, { cos_P1K, sin_P1K }: Rotation): Tensor {
    return ops.addcmul(x_PHK.mul(cos_P1K), ops.roll(x_PHK, this.turned / 2, { dims: -1 }), sin_P1K);
  }
}
