/** How the optimizer keeps AdamW's moments of one parameter: float32, bfloat16, or 8 bits (adamw-8bit.ts). */
import { EightBitMoments } from "./adamw-8bit.js";
import { type Slice, sliceOf } from "./adamw-weights.js";
import * as ops from "./ops.generated.js";
import { type RoundingNoise, roundInto } from "./rounding.js";
import { keep } from "./scope.js";
import type { Tensor } from "./tensor.js";

export type MomentPrecision = "float32" | "bfloat16" | "8bit";

/** Running means of the gradient and of its square, as rows of one slice. */
export interface MomentRows {
  expAvg: Tensor;
  expAvgSq: Tensor;
}

export interface Moments {
  /** Whether reading gives the numbers themselves, so that nothing has to be written back. */
  readonly direct: boolean;
  /** Whether writing rounds stochastically. */
  readonly rounds: boolean;
  read(slice: Slice): MomentRows;
  /** Puts the updated rows, which it may overwrite, back. */
  write(slice: Slice, rows: MomentRows, noise: RoundingNoise): void;
  /** What a checkpoint must hold, by the prefix of its name. */
  state(): [string, Tensor][];
}

/** Moments, all zero, for a parameter like `weight`. */
export function momentsOf(precision: MomentPrecision, weight: Tensor, betas: readonly [number, number]): Moments {
  if (precision === "8bit") return new EightBitMoments(weight.numel, weight.device, betas);
  return precision === "float32" ? fullMoments(weight) : halfMoments(weight);
}

function fullMoments(weight: Tensor): Moments {
  const dtype = weight.dtype === "float64" ? "float64" : "float32";
  const expAvg = keep(ops.zerosLike(weight, { dtype }));
  const expAvgSq = keep(ops.zerosLike(weight, { dtype }));
  return {
    direct: true,
    rounds: false,
    read: (slice) => ({ expAvg: sliceOf(expAvg, slice), expAvgSq: sliceOf(expAvgSq, slice) }),
    write: () => {},
    state: () => named(expAvg, expAvgSq),
  };
}

/** Rounded stochastically: a step changes the second moment by less than bf16's resolution, so rounding to nearest would freeze it. */
function halfMoments(weight: Tensor): Moments {
  const expAvg = keep(ops.zerosLike(weight, { dtype: "bfloat16" }));
  const expAvgSq = keep(ops.zerosLike(weight, { dtype: "bfloat16" }));
  return {
    direct: false,
    rounds: true,
    read: (slice) => ({
      expAvg: sliceOf(expAvg, slice).to("float32"),
      expAvgSq: sliceOf(expAvgSq, slice).to("float32"),
    }),
    write: (slice, rows, noise) => {
      roundInto(sliceOf(expAvg, slice), rows.expAvg, noise);
      roundInto(sliceOf(expAvgSq, slice), rows.expAvgSq, noise);
    },
    state: () => named(expAvg, expAvgSq),
  };
}

const named = (expAvg: Tensor, expAvgSq: Tensor): [string, Tensor][] => [
  ["exp_avg", expAvg],
  ["exp_avg_sq", expAvgSq],
];
