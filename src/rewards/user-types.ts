import type { ChatMessage } from "../text/types.js";
import type { Logged } from "./log.js";

/** What a user's reward function gets: the completion, and every column of its row under the column's name. */
export interface UserRewardArgs {
  completion: string;
  completionIds: number[];
  prompt: string | ChatMessage[];
  truncated: boolean;
  /** A number for metrics.jsonl, averaged over the step. */
  log_metric(name: string, value: number): void;
  /** A column for this completion's row in completions/. */
  log_extra(column: string, value: unknown): void;
  [column: string]: unknown;
}

/** A user's reward: a number, or null to leave this completion out. */
export type UserReward = (args: UserRewardArgs) => number | null | Promise<number | null>;

/** What a reward over the whole batch gets, as TRL's do: lists over all completions of a sampling, every column among them. */
export interface UserBatchArgs {
  completions: string[];
  completion_ids: number[][];
  prompts: (string | ChatMessage[])[];
  truncated: boolean[];
  log_metric(name: string, value: number): void;
  /** A column of the completions' rows: one value per completion. */
  log_extra(column: string, values: readonly unknown[]): void;
  [column: string]: unknown;
}

export type BatchScores = (number | null)[];

/** A user's reward over the whole batch, one score per completion. It is told by its mark: `my_reward.batch = true`. */
export interface UserBatchReward {
  (args: UserBatchArgs): BatchScores | Promise<BatchScores>;
  batch?: boolean;
}

/** Arguments without the functions, which cannot be sent to a worker. */
export type CallArgs = Record<string, unknown>;

/** To the worker: call one function for one completion, or for `size` of them. */
export interface Call {
  id: number;
  name: string;
  args: CallArgs;
  size: number | null;
}

/** A function of a user's file. */
export interface UserFunction {
  name: string;
  /** Whether it scores the whole batch. */
  batch: boolean;
}

/**
 * From the worker. "started" and "returned" bracket the synchronous part of a call: a call that started and did not
 * return is the one that blocks the worker.
 */
export type Report =
  | { kind: "ready"; functions: UserFunction[] }
  | { kind: "unloadable"; message: string }
  | { kind: "started" | "returned"; id: number }
  | { kind: "value"; id: number; value: unknown; logged: Logged }
  | { kind: "threw"; id: number; message: string };
