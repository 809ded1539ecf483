import path from "node:path";
import { writeFileAtomic } from "../files/atomic.js";
import { listCheckpoints } from "../run/checkpoint.js";
import { NonFiniteError } from "../training/learner.js";
import type { Sample } from "./sample.js";
import type { GrpoRun } from "./trainer.js";

/**
 * Runs one step; if its loss or gradient is not finite, writes the batch it came from beside the checkpoints, which stay as they are,
 * and throws a NonFiniteError that names both.
 */
export function dumpIfNonFinite<T>(run: GrpoRun, samples: readonly Sample[], stepsDone: number, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof NonFiniteError)) throw error;
    const file = path.join(run.recipe.output_dir, `non-finite-step-${stepsDone + 1}.jsonl`);
    writeFileAtomic(file, samples.map((sample) => `${JSON.stringify(dumpRow(sample, run))}\n`).join(""));
    const last = listCheckpoints(run.recipe.output_dir).at(-1)?.path ?? "none yet";
    throw new NonFiniteError(
      `${error.message}: stopped before the weights changed. The batch is in ${file}, the last checkpoint is ${last}. ` +
        "Look for completions with extreme log-probabilities there, and lower learning_rate or max_grad_norm",
    );
  }
}

/** JSON has no NaN: numbers that are not finite are written as text. */
function dumpRow(sample: Sample, run: GrpoRun): Record<string, unknown> {
  const show = (xs: readonly number[] | null) => xs?.map((x) => (Number.isFinite(x) ? x : String(x)));
  const { tokenizer } = run.engine;
  return {
    prompt: tokenizer.decode(sample.promptIds, { skipSpecialTokens: false }),
    completion: tokenizer.decode(sample.ids, { skipSpecialTokens: false }),
    prompt_ids: sample.promptIds,
    completion_ids: sample.ids,
    truncated: sample.truncated,
    advantage: show([sample.advantage])?.at(0),
    sampler_logps: show(sample.samplerLogps),
    old_logps: show(sample.oldLogps),
    ref_logps: show(sample.refLogps),
  };
}
