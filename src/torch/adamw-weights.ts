/** How the optimizer keeps the weights it moves: the float32 numbers it works on, read and written slice by slice. */
import { UserError } from "../errors.js";
import * as ops from "./ops.generated.js";
import { type RoundingNoise, roundInto } from "./rounding.js";
import { keep } from "./scope.js";
import type { Tensor } from "./tensor.js";

/** Elements start … start + length of a flattened parameter. */
export interface Slice {
  start: number;
  length: number;
}

export interface Weights {
  /** Whether reading gives the numbers themselves, so that nothing has to be written back. */
  readonly direct: boolean;
  /** Whether writing rounds stochastically. */
  readonly rounds: boolean;
  /** The slice in the precision of the update, as one row. */
  read(slice: Slice): Tensor;
  /** Puts the updated row, which it may overwrite, back. */
  write(slice: Slice, values: Tensor, noise: RoundingNoise): void;
  /** What a checkpoint must hold beside the model's weights, by the prefix of its name. */
  state(): [string, Tensor][];
}

/** A slice of a tensor as a row that shares its memory. */
export function sliceOf(tensor: Tensor, { start, length }: Slice): Tensor {
  const flat = ops.view(tensor, [-1]);
  return length === tensor.numel ? flat : flat.narrow(0, start, length);
}

/** float32 (and float64) weights are optimized as they are; half ones through masters, or bfloat16 with stochastic rounding. */
export function weightsOf(name: string, weight: Tensor, withMasters: boolean): Weights {
  if (weight.dtype !== "bfloat16" && weight.dtype !== "float16") return plain(weight);
  if (withMasters) return mastered(weight);
  if (weight.dtype === "bfloat16") return rounded(weight);
  throw new UserError(
    `master_weights: false rounds bfloat16 weights, but ${name} is ${weight.dtype}: set dtype: bfloat16, or master_weights: true`,
  );
}

function plain(weight: Tensor): Weights {
  return { direct: true, rounds: false, read: (slice) => sliceOf(weight, slice), write: () => {}, state: () => [] };
}

/** A float32 copy is moved and then rounded into the weight: at a learning rate of 1e-6 an update is below bf16's resolution. */
function mastered(weight: Tensor): Weights {
  const master = keep(weight.to("float32"));
  return {
    direct: false,
    rounds: false,
    read: (slice) => sliceOf(master, slice),
    write: (slice, values) => void ops.copy_(sliceOf(weight, slice), values),
    state: () => [["master", master]],
  };
}

/** No copy: the update is made in float32 and rounded stochastically, so that it arrives in the mean. */
function rounded(weight: Tensor): Weights {
  return {
    direct: false,
    rounds: true,
    read: (slice) => sliceOf(weight, slice).to("float32"),
    write: (slice, values, noise) => roundInto(sliceOf(weight, slice), values, noise),
    state: () => [],
  };
}
