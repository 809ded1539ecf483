/**
 * AdamW's moments in 8 bits each (after Dettmers et al., 2022, 8-bit Optimizers via Block-wise Quantization; other codes, below).
 *
 * The second moment v is a number of 5 exponent and 3 mantissa bits without a sign, counted down from the largest of its block of 256: it
 * spans 2^32 (2^16 in the gradient), so a small one next to a large one does not underflow to zero, which would make its update explode.
 * The first moment m is kept as m/√v, which the betas bound: a sign and 7 bits of log(1/128 + |m/√v|), in steps of a sixteenth at the far
 * end and of 0.002 around zero, so that its rounding error is a small share of an update whatever the gradient's size.
 * Both are rounded stochastically: a step changes v by a thousandth, a code by a tenth.
 */
import type { MomentRows, Moments } from "./adamw-moments.js";
import type { Slice } from "./adamw-weights.js";
import * as ops from "./ops.generated.js";
import type { RoundingNoise } from "./rounding.js";
import { keep } from "./scope.js";
import { type Tensor, tensor } from "./tensor.js";

export const BLOCK = 256;

/** Bits of a float32 below the 3 mantissa bits that are kept. */
const CUT = 20;
/** The least bits of a decoded v, shifted: v = 2^-120, above zero and below anything that matters beside epsilon. */
const LEAST = 56;
/** Bits of a float32 below the 4 mantissa bits of the ratio's code. */
const RATIO_CUT = 19;
/** Added to ratios. Its shifted bits are 15 · 128, so that those of greater numbers up to TOP have bit 7 set and 7 bits of code below. */
const OFFSET = 2 ** -7;
/** The number of the last code. */
const TOP = 2 - 2 ** -4;
/** The code of zero. */
const ZERO = 128;

export class EightBitMoments implements Moments {
  readonly direct = false;
  readonly rounds = true;
  readonly #ratio: Tensor;
  readonly #square: Tensor;
  /** Per block, the shifted bits that code 0 of v stands for. */
  readonly #floor: Tensor;
  /** What ratios are multiplied with before OFFSET is added. */
  readonly #scale: number;
  /** The ratio of each code. */
  readonly #table: Float32Array;

  constructor(numel: number, device: string, betas: readonly [number, number]) {
    const blocks = Math.ceil(numel / BLOCK);
    this.#ratio = keep(ops.full([blocks * BLOCK], ZERO, { dtype: "uint8", device }));
    this.#square = keep(ops.zeros([blocks * BLOCK], { dtype: "uint8", device }));
    this.#floor = keep(ops.full([blocks], LEAST, { dtype: "int32", device }));
    this.#scale = (TOP - OFFSET) / largestRatio(betas);
    this.#table = Float32Array.from(ratioTable(this.#scale));
  }

  read(slice: Slice): MomentRows {
    const { ratio, square, floor } = this.#parts(slice);
    const expAvgSq = decodeSquares(square.to("int32"), floor);
    const ratios = ops.indexSelect(tensor(this.#table).to(ratio.device), 0, ratio.to("int32"));
    const expAvg = ops.mul_(ratios, ops.sqrt(expAvgSq));
    return { expAvg: expAvg.narrow(0, 0, slice.length), expAvgSq: expAvgSq.narrow(0, 0, slice.length) };
  }

  write(slice: Slice, rows: MomentRows, noise: RoundingNoise): void {
    const { ratio, square, floor } = this.#parts(slice);
    const codes = encodeSquares(padded(rows.expAvgSq), floor, noise);
    ops.copy_(square, codes);
    // The ratio is to the v that will be read, so that m comes back right whichever way v was rounded.
    const root = ops.sqrt(decodeSquares(codes, floor));
    ops.copy_(ratio, encodeRatios(ops.div_(padded(rows.expAvg), root), this.#scale, noise));
  }

  state(): [string, Tensor][] {
    return [
      ["exp_avg_ratio", this.#ratio],
      ["exp_avg_sq_code", this.#square],
      ["exp_avg_sq_floor", this.#floor],
    ];
  }

  /** The whole blocks that hold a slice; `start` is a multiple of BLOCK. */
  #parts({ start, length }: Slice): { ratio: Tensor; square: Tensor; floor: Tensor } {
    const blocks = Math.ceil(length / BLOCK);
    return {
      ratio: this.#ratio.narrow(0, start, blocks * BLOCK),
      square: this.#square.narrow(0, start, blocks * BLOCK),
      floor: this.#floor.narrow(0, start / BLOCK, blocks),
    };
  }
}

/**
 * The most |m|/√v can be, by Cauchy and Schwarz over the gradients so far: (1−β₁) / √((1−β₂)(1−β₁²/β₂)), 7.3 for 0.9 and 0.999.
 * Betas for which that has no bound, or a large one, are cut at 8.
 */
function largestRatio([beta1, beta2]: readonly [number, number]): number {
  const bound = (1 - beta1) / Math.sqrt((1 - beta2) * (1 - beta1 ** 2 / beta2));
  return bound > 0 && bound < 8 ? bound : 8;
}

/** A row filled up with zeros to whole blocks. */
function padded(row: Tensor): Tensor {
  const missing = (BLOCK - (row.numel % BLOCK)) % BLOCK;
  return missing === 0 ? row : ops.cat([row, ops.zeros([missing], { device: row.device })]);
}

const perBlock = (row: Tensor): Tensor => ops.view(row, [-1, BLOCK]);

/** v from its codes (int32, overwritten). */
function decodeSquares(codes: Tensor, floor: Tensor): Tensor {
  ops.add_(perBlock(codes), floor.unsqueeze(1));
  return ops.viewDtype(ops.leftShift_(codes, CUT), "float32");
}

/** Codes (int32) of v ≥ 0, which is overwritten; sets `floor` so that the largest of each block gets the last code. */
function encodeSquares(expAvgSq: Tensor, floor: Tensor, noise: RoundingNoise): Tensor {
  // As bits, non-negative floats are in order, and a step of the kept bits is a step of the code.
  const largest = ops.viewDtype(ops.amax(perBlock(expAvgSq), { dim: 1 }), "int32");
  ops.rightShift_(ops.add_(largest, 2 ** CUT - 1), CUT);
  ops.copy_(floor, ops.clampMin_(ops.sub_(largest, 255), LEAST));
  const bits = ops.viewDtype(expAvgSq, "int32");
  ops.rightShift_(ops.add_(bits, noise.next(CUT, bits.numel)), CUT);
  ops.clampMin_(ops.sub_(perBlock(bits), floor.unsqueeze(1)), 0);
  return bits;
}

/** Codes (int32, of which the lowest 8 bits count) of ratios, which are overwritten: the complement for negative ones. */
function encodeRatios(ratios: Tensor, scale: number, noise: RoundingNoise): Tensor {
  const bits = ops.viewDtype(ops.mul_(ratios, scale), "int32");
  const signs = ops.rightShift_(bits.clone(), 31);
  ops.bitwiseAnd_(bits, 0x7fffffff);
  ops.clamp_(ops.add_(ratios, OFFSET), { max: TOP });
  ops.rightShift_(ops.add_(bits, noise.next(RATIO_CUT, bits.numel)), RATIO_CUT);
  return ops.bitwiseXor(bits, signs);
}

function ratioTable(scale: number): number[] {
  const positive = Array.from({ length: 128 }, (_, code) => {
    const number = OFFSET * 2 ** (code >> 4) * (1 + (code & 15) / 16);
    return (number - OFFSET) / scale;
  });
  return [...positive.map((ratio) => -ratio).reverse(), ...positive];
}
