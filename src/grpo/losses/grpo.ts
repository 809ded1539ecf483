/** GRPO (DeepSeekMath, arXiv 2402.03300, equation 3): the mean over completions of each completion's mean over its tokens. */
import { clipped } from "./clipped.js";
import { microBatches } from "./micro-batches.js";
import type { Loss } from "./types.js";

export const grpo: Loss = {
  surrogate: clipped,
  weights: (step) =>
    microBatches(step).flatMap(({ lengths, share }) =>
      lengths.map((length) => share / (lengths.length * Math.max(1, length))),
    ),
};
