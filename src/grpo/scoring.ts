import type { CausalLM } from "../model/index.js";
import { packBatch, planBatches, scoreTokens } from "../passes/batch.js";
import type { MicroBatchOptions } from "../passes/micro-batches.js";
import { scope } from "../torch/index.js";
import type { Sample } from "./sample.js";

/** A model that is only asked, never trained. */
export interface Frozen {
  model: CausalLM;
}

/** log π of every completion token under `model`, per sample. */
export function scoreSamples(
  model: CausalLM,
  samples: readonly Sample[],
  temperature: number,
  passes: MicroBatchOptions,
): number[][] {
  const out: number[][] = samples.map(() => []);
  const sequences = samples.map(toScored);
  for (const indices of planBatches(sequences, model, passes)) {
    const logps = scope(() => {
      const batch = packBatch(
        indices.map((i) => sequences[i]!),
        model,
      );
      return scoreTokens(model, batch, { temperature }).logps_N.toArray();
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
