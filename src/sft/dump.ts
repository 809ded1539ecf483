import path from "node:path";
import { writeFileAtomic } from "../run/atomic.js";
import type { Tokenizer } from "../text/index.js";
import { NonFiniteError } from "../train/learner.js";
import type { Example } from "./types.js";

/** Writes the batch at which loss or gradient went wrong to the run folder; returns the error that ends the run and names the file. */
export function dumpBatch(
  error: NonFiniteError,
  outputDir: string,
  step: number,
  examples: readonly Example[],
  tokenizer: Tokenizer,
): NonFiniteError {
  const file = path.join(outputDir, `nonfinite-step-${step}.json`);
  const rows = examples.map(({ ids, from }) => ({
    ids,
    from,
    text: tokenizer.decode(ids, { skipSpecialTokens: false }),
  }));
  writeFileAtomic(file, `${JSON.stringify({ step, error: error.message, examples: rows })}\n`);
  return new NonFiniteError(
    `${error.message}: the run stops, its last checkpoint is intact, the batch is in ${file}. ` +
      "Lower learning_rate, or look for broken rows and weights",
    { cause: error },
  );
}
