/** A user's own rewards: functions exported by a .ts or .js file that the recipe names. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { UserError } from "../errors.js";
import type { RewardOptions } from "./options.js";
import type { Reward, RewardInput, Scores } from "./types.js";
import { type Outcome, UserRewardPool } from "./user-pool.js";
import type { UserRewardArgs } from "./user-types.js";

const FILE = /\.[cm]?[tj]s(#.+)?$/;
/** Completions whose asynchronous rewards (a judge over the network) are awaited at the same time. */
const CONCURRENCY = 16;

/** Whether an entry of `reward_funcs` names a file ("rewards.ts", "rewards.ts#brevity") and not a built-in reward. */
export function isUserRewardSpec(spec: string): boolean {
  return FILE.test(spec);
}

export type UserRewardOptions = Pick<RewardOptions, "reward_timeout_ms" | "reward_on_error">;

/**
 * The rewards of a file, one per exported function (a default export is named after its function, or the file).
 * They run in a worker thread, so a loop without end is a timeout and not a hang.
 * @throws UserError when the file is missing, cannot be loaded, or exports no such function
 */
export async function loadUserRewards(spec: string, options: UserRewardOptions, baseDir: string): Promise<Reward[]> {
  const [path, wanted] = spec.split("#", 2);
  const file = resolve(baseDir, path);
  if (!existsSync(file)) throw new UserError(`no rewards file ${file} (reward_funcs names ${JSON.stringify(spec)})`);
  const pool = new UserRewardPool(file, options.reward_timeout_ms);
  const names = await pool.start();
  const chosen = wanted === undefined ? names : names.filter((name) => name === wanted);
  if (chosen.length === 0) {
    await pool.close();
    const exported = names.length === 0 ? "no function" : `only ${names.join(", ")}`;
    throw new UserError(
      `rewards file ${file} exports ${exported}: export ${wanted ?? "a function ({ completion }) => number"}`,
    );
  }
  return chosen.map((name) => userReward(name, file, pool, options));
}

/** Whatever runs the functions: a worker with their file, or the caller's own process (in-code.ts). */
export interface Caller {
  call(name: string, args: UserRewardArgs): Promise<Outcome>;
  close(): Promise<void>;
}

/** @param place where the function stands, for errors */
export function userReward(name: string, place: string, caller: Caller, options: UserRewardOptions): Reward {
  const scoreOne = async (input: RewardInput): Promise<number | null> => {
    const outcome = await caller.call(name, argumentsOf(input));
    if (outcome.ok) return outcome.value;
    if (options.reward_on_error === "null") return null;
    throw failure(name, place, input, outcome);
  };
  return {
    name,
    needsGold: false,
    score: (batch, signal) => mapConcurrently(batch, scoreOne, signal),
    close: () => caller.close(),
  };
}

function argumentsOf(input: RewardInput): UserRewardArgs {
  const { completion, completionIds, prompt, row, truncated } = input;
  const ownPrompt = typeof prompt === "string" ? prompt : [...prompt];
  return { ...row, completion, completionIds: [...completionIds], prompt: ownPrompt, truncated };
}

function failure(name: string, place: string, input: RewardInput, outcome: Outcome & { ok: false }): UserError {
  const number = input.index === undefined ? "" : ` ${input.index + 1}`;
  return new UserError(
    `reward "${name}" of ${place} failed: ${outcome.message}\n` +
      `  row${number}: ${excerpt(JSON.stringify(input.row))}\n` +
      `  completion: ${excerpt(JSON.stringify(input.completion))}\n` +
      `  correct the function, or set reward_on_error: null to leave such completions out`,
  );
}

function excerpt(text: string, limit = 300): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}… (${text.length} characters)`;
}

/** Maps with at most CONCURRENCY calls open, keeping the order; stops at the first failure or when aborted. */
async function mapConcurrently(
  batch: readonly RewardInput[],
  scoreOne: (input: RewardInput) => Promise<number | null>,
  signal?: AbortSignal,
): Promise<Scores> {
  const scores: Scores = batch.map(() => null);
  let next = 0;
  let stopped = false;
  const lane = async (): Promise<void> => {
    while (next < batch.length && !stopped) {
      signal?.throwIfAborted();
      const i = next++;
      scores[i] = await scoreOne(batch[i]);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, batch.length) }, lane));
  } finally {
    stopped = true;
  }
  return scores;
}
