import type { CausalLM } from "../model/decoder.js";
import { scope } from "../torch/index.js";
import { packBatch, planBatches, scoreTokens } from "./batch.js";
import type { MicroBatchOptions } from "./micro-batches.js";

/** log p of each token after the first, for sequences of any lengths, in their order; several share a forward pass. */
export function logprobsOf(
  model: CausalLM,
  sequences: readonly (readonly number[])[],
  plan: MicroBatchOptions,
): number[][] {
  const out: number[][] = sequences.map(() => []);
  const scored = sequences.flatMap((ids, i) => (ids.length > 1 ? [i] : []));
  const rows = scored.map((i) => ({ ids: sequences[i]!, from: 1 }));
  for (const batch of planBatches(rows, model, plan)) {
    const indices = batch.map((n) => scored[n]!);
    const parts = batch.map((n) => rows[n]!);
    const logps = scope(() => scoreTokens(model, packBatch(parts, model)).logps_N.toArray());
    let start = 0;
    for (const i of indices) {
      const length = sequences[i]!.length - 1;
      out[i] = logps.slice(start, start + length);
      start += length;
    }
  }
  return out;
}
