import { UserError } from "../errors.js";
import type { RewardOptions } from "./options.js";
import { words } from "./text.js";
import { perCompletion, type Reward } from "./types.js";

type RepetitionOptions = Pick<RewardOptions, "repetition_n_grams" | "repetition_max_penalty">;

/**
 * (1 − distinct n-grams / n-grams) × max_penalty over lower-cased words; 0 for fewer than n words.
 * (arXiv 2502.03373, appendix C.2)
 */
export function createRepetitionPenalty(options: RepetitionOptions): Reward {
  const { repetition_n_grams: n, repetition_max_penalty: maxPenalty } = options;
  if (!Number.isInteger(n) || n < 1) throw new UserError(`repetition_n_grams is ${n}: give a whole number from 1`);
  if (!(maxPenalty <= 0)) throw new UserError(`repetition_max_penalty is ${maxPenalty}: give 0 or a negative number`);
  return perCompletion("repetition_penalty", ({ completion }) => repeatedShare(completion, n) * maxPenalty);
}

/** Share of n-grams that occurred before, in [0, 1). */
function repeatedShare(text: string, n: number): number {
  const list = words(text.toLowerCase());
  const total = list.length - n + 1;
  if (total < 1) return 0;
  const distinct = new Set<string>();
  for (let i = 0; i < total; i++) distinct.add(list.slice(i, i + n).join(" "));
  return 1 - distinct.size / total;
}
