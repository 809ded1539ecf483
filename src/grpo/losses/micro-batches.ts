import type { StepShape } from "./types.js";

/** TRL's micro-batches of a step: their lengths, and each one's share in the step's mean. */
export function microBatches(step: StepShape): { lengths: readonly number[]; share: number }[] {
  const count = Math.ceil(step.lengths.length / step.perMicroBatch);
  return Array.from({ length: count }, (_, i) => ({
    lengths: step.lengths.slice(i * step.perMicroBatch, (i + 1) * step.perMicroBatch),
    share: 1 / count,
  }));
}
