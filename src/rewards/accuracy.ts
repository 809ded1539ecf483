import type { RewardOptions } from "./options.js";
import { type Judge, perCompletion, type Reward } from "./types.js";

/** 1 if the completion's last boxed answer equals the gold, else 0; 1 where the gold cannot be parsed (a quirk). (Open-RS) */
export function createAccuracy(options: Pick<RewardOptions, "gold_unparseable">, judge: Judge): Reward {
  const withoutGold = options.gold_unparseable === "null" ? null : 1;
  const scores = { correct: 1, wrong: 0, no_gold: withoutGold };
  return perCompletion("accuracy", (input) => scores[judge(input)], true);
}
