import { UserError } from "../errors.js";
import type { RewardOptions } from "./options.js";
import { completionLength } from "./text.js";
import { type Judge, perCompletion, type Reward } from "./types.js";

/**
 * Length-scaled reward of correct and wrong answers: with c = cos(π · length / max_len),
 * reward = lo + ½ (hi − lo)(1 + c), where lo, hi are min_value_correct, max_value_correct for a correct answer and
 * max_value_wrong, min_value_wrong (swapped) for a wrong one. (Open-RS; after arXiv 2502.03373)
 *
 * Quirks of the original, kept by default: lengths in characters, no clamp beyond max_len, 1 where the gold cannot be
 * parsed; and with the default wrong range 0 … −0.5, longer wrong answers lose more.
 */
export function createCosine(options: RewardOptions, judge: Judge): Reward {
  const { cosine_max_len: maxLength, cosine_length_unit: unit, cosine_clamp: clamp } = options;
  if (!(maxLength > 0)) throw new UserError(`cosine_max_len is ${maxLength}: give a positive length`);
  const ends = {
    correct: [options.cosine_min_value_correct, options.cosine_max_value_correct],
    wrong: [options.cosine_max_value_wrong, options.cosine_min_value_wrong],
  } as const;
  const withoutGold = options.gold_unparseable === "null" ? null : 1;
  return perCompletion(
    "cosine",
    (input) => {
      const verdict = judge(input);
      if (verdict === "no_gold") return withoutGold;
      const [low, high] = ends[verdict];
      const progress = completionLength(input, unit) / maxLength;
      const cosine = Math.cos(Math.PI * (clamp ? Math.min(1, progress) : progress));
      return low + 0.5 * (high - low) * (1 + cosine);
    },
    true,
  );
}
