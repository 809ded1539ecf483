/** Asks src/math whether a completion's answer is the gold one, once per completion however many rewards ask. */
import { type GoldColumn, goldOf, missingGold } from "../data/gold.js";
import { rowName } from "../data/places.js";
import { UserError } from "../errors.js";
import { canParse, verify } from "../math/index.js";
import type { RewardOptions } from "./options.js";
import type { Judge, RewardInput, Verdict } from "./types.js";

export function createJudge({ gold_column, gold_unparseable }: JudgeOptions): Judge {
  const known = new WeakMap<RewardInput, Verdict>();
  const parseable = new Map<string, boolean>();
  const hasGold = (gold: string): boolean => {
    const answer = parseable.get(gold) ?? canParse(gold);
    parseable.set(gold, answer);
    return answer;
  };
  const decide = (input: RewardInput): Verdict => {
    const gold = requiredGold(input, gold_column);
    if (hasGold(gold)) return verify(gold, input.completion) ? "correct" : "wrong";
    if (gold_unparseable === "error") throw unparseableGold(gold, input);
    return "no_gold";
  };
  return (input) => {
    const verdict = known.get(input) ?? decide(input);
    known.set(input, verdict);
    return verdict;
  };
}

type JudgeOptions = Pick<RewardOptions, "gold_column" | "gold_unparseable">;

function requiredGold(input: RewardInput, column: GoldColumn): string {
  const gold = goldOf(input.row, column);
  if (gold === undefined) throw missingGold(input.row, input.index, column);
  return gold;
}

function unparseableGold(gold: string, { row, index }: RewardInput): UserError {
  return new UserError(
    `${rowName(row, index)}: gold answer ${JSON.stringify(gold.slice(0, 120))} cannot be parsed: ` +
      `correct it, or set gold_unparseable to score_1 or null`,
  );
}
