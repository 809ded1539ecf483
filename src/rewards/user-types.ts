import type { ChatMessage } from "../text/types.js";

/** What a user's reward function gets: the completion, and every column of its row under the column's name. */
export interface UserRewardArgs {
  completion: string;
  completionIds: number[];
  prompt: string | ChatMessage[];
  truncated: boolean;
  [column: string]: unknown;
}

/** A user's reward: a number, or null to leave this completion out. */
export type UserReward = (args: UserRewardArgs) => number | null | Promise<number | null>;

/** To the worker: call one function for one completion. */
export interface Call {
  id: number;
  name: string;
  args: UserRewardArgs;
}

/**
 * From the worker. "started" and "returned" bracket the synchronous part of a call: a call that started and did not
 * return is the one that blocks the worker.
 */
export type Report =
  | { kind: "ready"; names: string[] }
  | { kind: "unloadable"; message: string }
  | { kind: "started" | "returned"; id: number }
  | { kind: "value"; id: number; value: unknown }
  | { kind: "threw"; id: number; message: string };
