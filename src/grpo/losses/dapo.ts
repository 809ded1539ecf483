/** DAPO (arXiv 2503.14476, equation 8): the token mean over the whole step, whatever its micro-batches. */
import { clipped } from "./clipped.js";
import type { Loss, StepShape } from "./types.js";

export const dapo: Loss = { surrogate: clipped, weights: tokenMean };

export function tokenMean(step: StepShape): number[] {
  return step.lengths.map(() => 1 / Math.max(1, step.tokensPerStep));
}
