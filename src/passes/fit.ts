/** What cannot fit is said before training: a kill for memory says nothing. Certain cases only, by the machine's whole memory. */
import { UserError } from "../errors.js";
import { formatBytes } from "../files/disk.js";

export interface Needs {
  /** Weights, gradients, the optimizer's moments, the reference. */
  training: number;
  /** Of one token in a pass. */
  perToken: number;
  /** Tokens of the longest sequence: it goes through the model in one pass. */
  longest: number;
}

/** @throws UserError that names what is too large, and what to change */
export function assertFits({ training, perToken, longest }: Needs, total: number): void {
  const has = `the machine has ${formatBytes(total)}`;
  if (training > total) {
    throw new UserError(
      `weights, gradients and optimizer need ${formatBytes(training)}, ${has}: choose a smaller model, use_peft, or optim adamw_8bit`,
    );
  }
  const pass = longest * perToken;
  if (training + pass <= total) return;
  throw new UserError(
    `a sequence of ${longest} tokens needs ${formatBytes(pass)} to learn from, beside ${formatBytes(training)} for weights, gradients and ` +
      `optimizer, and ${has}: lower max_completion_length (max_length) or max_prompt_length, or allow gradient_checkpointing`,
  );
}

/** Ids and log-probabilities of the sampler, the loss and the reference, and the text, in JavaScript's memory. */
const BYTES_A_TOKEN = 44;
/** Completions of a sampling are not all as long as they may be: what does not fit even so. */
const LEAST_SHARE = 1 / 4;

/** @param heap bytes that JavaScript may use */
export function assertHeapHolds(completions: number, tokens: number, heap: number): void {
  const bytes = completions * tokens * LEAST_SHARE * BYTES_A_TOKEN;
  if (bytes <= heap) return;
  throw new UserError(
    `${completions} completions of up to ${tokens} tokens in one sampling need ${formatBytes(bytes)} at a quarter of that length, Node.js may use ` +
      `${formatBytes(heap)}: sample fewer at once (per_device_train_batch_size, steps_per_generation), or set NODE_OPTIONS=--max-old-space-size`,
  );
}
