/** Token mean over the micro-batch: TRL's `bnpo`, and what its GRPO was when Open-RS was trained. Depends on the micro-batch's size. */
import { clipped } from "./clipped.js";
import { microBatches } from "./micro-batches.js";
import { sum } from "./sum.js";
import type { Loss } from "./types.js";

export const bnpo: Loss = {
  surrogate: clipped,
  weights: (step) =>
    microBatches(step).flatMap(({ lengths, share }) => lengths.map(() => share / Math.max(1, sum(lengths)))),
};
