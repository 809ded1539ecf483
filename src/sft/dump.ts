import path from "node:path";
import { writeFileAtomic } from "../files/atomic.js";
import { listCheckpoints } from "../run/checkpoint.js";
import type { Tokenizer } from "../text/index.js";
import { NonFiniteError } from "../training/learner.js";
import type { Example } from "./types.js";

/** Writes the batch at which loss or gradient went wrong beside the checkpoints; returns the error that ends the run and names both. */
export function dumpBatch(
  error: NonFiniteError,
  outputDir: string,
  step: number,
  examples: readonly Example[],
  tokenizer: Tokenizer,
): NonFiniteError {
  const file = path.join(outputDir, `non-finite-step-${step}.jsonl`);
  const text = (ids: readonly number[]) => tokenizer.decode(ids, { skipSpecialTokens: false });
  const rows = examples.map(({ ids, from }) => ({
    read: text(ids.slice(0, from)),
    learnt: text(ids.slice(from)),
    ids,
  }));
  writeFileAtomic(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const last = listCheckpoints(outputDir).at(-1)?.path ?? "none yet";
  return new NonFiniteError(
    `${error.message}: stopped before the weights changed. The batch is in ${file}, the last checkpoint is ${last}. ` +
      "Look for broken rows there, and lower learning_rate or max_grad_norm",
    { cause: error },
  );
}
