import type { ChatMessage } from "../text/types.js";
import type { RewardLog } from "./log.js";

/** One completion to score, with all that is known about it. */
export interface RewardInput {
  /** The completion's text, without special tokens. */
  completion: string;
  completionIds: readonly number[];
  /** The prompt as the dataset gives it: text, or the messages before the chat template. */
  prompt: string | readonly ChatMessage[];
  /** All columns of the dataset's row. */
  row: Record<string, unknown>;
  /** Whether the completion was cut at the length limit instead of ending by itself. */
  truncated: boolean;
  /** The row's 0-based place in the dataset, for messages. */
  index?: number;
}

/** A score per completion; null where a reward has nothing to say, which leaves it out of that completion's sum. */
export type Scores = (number | null)[];

export interface Reward {
  /** The name in metrics (`rewards/<name>/mean`). */
  readonly name: string;
  /** Whether every row must have a gold answer. */
  readonly needsGold: boolean;
  /**
   * Scores a batch, in order. The whole batch is given because some rewards compare completions with each other.
   * `log` takes what it says beside its scores. Rejects with a UserError that names reward, row and completion; with `signal.reason` when aborted.
   */
  score(batch: readonly RewardInput[], signal?: AbortSignal, log?: RewardLog): Promise<Scores>;
  /** Ends what the reward keeps running (a user's worker). */
  close?(): Promise<void>;
}

/** What the verifier says about a completion; "no_gold": the gold answer itself cannot be parsed. */
export type Verdict = "correct" | "wrong" | "no_gold";
export type Judge = (input: RewardInput) => Verdict;

/** A reward that looks at one completion at a time. */
export function perCompletion(
  name: string,
  scoreOne: (input: RewardInput) => number | null,
  needsGold = false,
): Reward {
  return { name, needsGold, score: async (batch) => batch.map(scoreOne) };
}
