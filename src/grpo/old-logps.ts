import { padBatch, scoreTokens } from "../model/batch.js";
import type { CausalLM } from "../model/index.js";
import { scope } from "../torch/index.js";
import { microBatches, TOKENS_PER_MICRO_BATCH } from "./batches.js";
import { lengthOf, type Sample } from "./sample.js";

/** A model that is only asked, never trained. */
export interface Frozen {
  model: CausalLM;
}

/** log π of every completion token under `model`, per sample: the naive forward pass, in micro-batches. */
export function scoreSamples(model: CausalLM, samples: readonly Sample[], temperature: number): number[][] {
  const out: number[][] = samples.map(() => []);
  for (const indices of microBatches(samples.map(lengthOf), TOKENS_PER_MICRO_BATCH)) {
    const logps = scope(() => {
      const sequences = indices.map((i) => toScored(samples[i]!));
      return scoreTokens(model, padBatch(sequences, model.device), { temperature }).logps_N.toArray();
    });
    let start = 0;
    for (const i of indices) {
      const { length } = samples[i]!.ids;
      out[i] = logps.slice(start, start + length);
      start += length;
    }
  }
  return out;
}

export const toScored = (sample: Sample) => ({
  ids: [...sample.promptIds, ...sample.ids],
  from: sample.promptIds.length,
});
