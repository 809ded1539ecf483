/** Dr. GRPO (arXiv 2503.20783): a constant length instead of each completion's own, so that length is neither rewarded nor punished. */
import { clipped } from "./clipped.js";
import { microBatches } from "./micro-batches.js";
import type { Loss } from "./types.js";

export const drGrpo: Loss = {
  surrogate: clipped,
  weights: (step) =>
    microBatches(step).flatMap(({ lengths, share }) =>
      lengths.map(() => share / (lengths.length * step.maxCompletionLength)),
    ),
};
