import type { CausalLM } from "../model/index.js";
import { packBatch, planBatches, scoreTokens } from "../passes/batch.js";
import type { TokenScores } from "../passes/head.js";
import type { MicroBatchOptions } from "../passes/micro-batches.js";
import { scope } from "../torch/index.js";
import type { Sample } from "./sample.js";

/** A model that is only asked, never trained. */
export interface Frozen {
  model: CausalLM;
}

/** log π of every completion token under `model`, per sample. */
export const scoreSamples = (...pass: ScoringPass): number[][] => scorePerSample("logps_N", ...pass);

/** The entropies of every completion's tokens, in a pass of its own: what to keep must be known before learning. */
export const scoreEntropies = (...pass: ScoringPass): number[][] => scorePerSample("entropy_N", ...pass);

type ScoringPass = [model: CausalLM, samples: readonly Sample[], temperature: number, passes: MicroBatchOptions];

function scorePerSample(score: keyof TokenScores, ...[model, samples, temperature, passes]: ScoringPass): number[][] {
  const out: number[][] = samples.map(() => []);
  const sequences = samples.map(toScored);
  for (const indices of planBatches(sequences, model, passes)) {
    const part = indices.map((i) => sequences[i]!);
    const scored = scope(() => scoreTokens(model, packBatch(part, model), { temperature })[score].toArray());
    let start = 0;
    for (const i of indices) {
      const { length } = samples[i]!.ids;
      out[i] = scored.slice(start, start + length);
      start += length;
    }
  }
  return out;
}

export const toScored = (sample: Sample) => ({
  ids: [...sample.promptIds, ...sample.ids],
  from: sample.promptIds.length,
});
