import type { RewardOptions } from "./options.js";
import { completionLength } from "./text.js";
import type { Judge, Reward, RewardInput, Scores } from "./types.js";

/**
 * λ = ½ − (length − min) / (max − min) over the completions compared; a correct answer gets λ, a wrong one min(0, λ);
 * all of one length: 0. An answer without a readable gold counts as correct. (Kimi k1.5, arXiv 2501.12599, section 2.3.3)
 */
export function createLength(options: RewardOptions, judge: Judge): Reward {
  const score = (batch: readonly RewardInput[]): Scores => {
    const scores: Scores = batch.map(() => null);
    for (const members of compared(batch, options.length_over)) {
      const lengths = members.map((i) => completionLength(batch[i], options.length_unit));
      lengthBonuses(lengths).forEach((bonus, k) => {
        const verdict = judge(batch[members[k]]);
        const skip = verdict === "no_gold" && options.gold_unparseable === "null";
        scores[members[k]] = skip ? null : verdict === "wrong" ? Math.min(0, bonus) : bonus;
      });
    }
    return scores;
  };
  return { name: "length", needsGold: true, score: async (batch) => score(batch) };
}

/** λ of each length; zeros when all are the same. */
function lengthBonuses(lengths: readonly number[]): number[] {
  const min = lengths.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const max = lengths.reduce((a, b) => Math.max(a, b), 0);
  return lengths.map((length) => (max === min ? 0 : 0.5 - (length - min) / (max - min)));
}

/** Indices of the completions whose lengths are compared with each other. */
function compared(batch: readonly RewardInput[], over: RewardOptions["length_over"]): number[][] {
  const groups = new Map<string, number[]>();
  batch.forEach((input, i) => {
    const key = over === "batch" ? "" : JSON.stringify(input.prompt);
    const members = groups.get(key);
    if (members) members.push(i);
    else groups.set(key, [i]);
  });
  return [...groups.values()];
}
