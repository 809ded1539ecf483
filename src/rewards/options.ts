/**
 * Options of the rewards, with the spellings of open-r1 (`cosine_…`, `repetition_…`) and the defaults of Open-RS.
 * The recipe's schema documents them for the user; docs/rewards.md explains them.
 */
import type { GoldColumn } from "../data/gold.js";

export type LengthUnit = "characters" | "tokens";

export interface RewardOptions {
  /** Reward of a wrong answer of length 0 … */
  cosine_min_value_wrong: number;
  /** … and of one of `cosine_max_len`. */
  cosine_max_value_wrong: number;
  /** Reward of a correct answer of length `cosine_max_len` … */
  cosine_min_value_correct: number;
  /** … and of one of length 0. */
  cosine_max_value_correct: number;
  cosine_max_len: number;
  /** The original counts characters (Unicode code points), although `cosine_max_len` is set to a number of tokens. */
  cosine_length_unit: LengthUnit;
  /** Stop at `cosine_max_len`; the original's cosine turns back beyond it. */
  cosine_clamp: boolean;
  /** Size of the n-grams, in words. */
  repetition_n_grams: number;
  /** Reward of a completion that is all repetition; not positive. */
  repetition_max_penalty: number;
  length_unit: LengthUnit;
  /** Compare lengths over the whole batch given, or among the completions of one prompt (as in Kimi k1.5). */
  length_over: "batch" | "prompt";
  /** Where the soft overlong punishment is full, in tokens … */
  max_completion_len: number;
  /** … and how many tokens before that it begins. */
  soft_punish_cache: number;
  gold_column: GoldColumn;
  /** What rewards that verify say when the gold itself cannot be parsed; the original scores 1. */
  gold_unparseable: "score_1" | "null" | "error";
  /** Milliseconds a user's reward function may take for one completion. */
  reward_timeout_ms: number;
  /** What a throw, a timeout or a non-number of a user's reward does: stop the run, or score null. */
  reward_on_error: "stop" | "null";
}

export const REWARD_DEFAULTS: Readonly<RewardOptions> = {
  cosine_min_value_wrong: 0,
  cosine_max_value_wrong: -0.5,
  cosine_min_value_correct: 0.5,
  cosine_max_value_correct: 1,
  cosine_max_len: 1000,
  cosine_length_unit: "characters",
  cosine_clamp: false,
  repetition_n_grams: 3,
  repetition_max_penalty: -1,
  length_unit: "characters",
  length_over: "batch",
  max_completion_len: 1280,
  soft_punish_cache: 256,
  gold_column: "auto",
  gold_unparseable: "score_1",
  reward_timeout_ms: 30_000,
  reward_on_error: "stop",
};
