/** A user's own rewards: functions exported by a .ts or .js file that the recipe names. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { UserError } from "../errors.js";
import type { RewardLog } from "./log.js";
import type { RewardOptions } from "./options.js";
import type { Outcome } from "./outcome.js";
import type { Reward, RewardInput, Scores } from "./types.js";
import { UserRewardPool } from "./user-pool.js";
import type { CallArgs, UserFunction } from "./user-types.js";

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
  const functions = await pool.start();
  const names = functions.map(({ name }) => name);
  const chosen = wanted === undefined ? functions : functions.filter(({ name }) => name === wanted);
  if (chosen.length === 0) {
    await pool.close();
    const exported = names.length === 0 ? "no function" : `only ${names.join(", ")}`;
    throw new UserError(
      `rewards file ${file} exports ${exported}: export ${wanted ?? "a function ({ completion }) => number"}`,
    );
  }
  return chosen.map((each) => userReward(each, file, pool, options));
}

/** Whatever runs the functions: a worker with their file, or the caller's own process (in-code.ts). */
export interface Caller {
  /** @param size completions to score in one call; null: one alone, whose arguments are no lists */
  call(name: string, args: CallArgs, size: number | null): Promise<Outcome>;
  close(): Promise<void>;
}

/** @param place where the function stands, for errors */
export function userReward(
  { name, batch }: UserFunction,
  place: string,
  caller: Caller,
  options: UserRewardOptions,
): Reward {
  const outcomeOr = (outcome: Outcome, about: string): (Outcome & { ok: true }) | null => {
    if (outcome.ok) return outcome;
    if (options.reward_on_error === "null") return null;
    throw failure(name, place, about, outcome.message);
  };
  const scoreEach: Reward["score"] = async (inputs, signal, log) => {
    const outcomes = await mapConcurrently(
      inputs,
      async (input) => outcomeOr(await caller.call(name, argumentsOf(input), null), aboutOne(input)),
      signal,
    );
    return noteAll(outcomes, log);
  };
  const scoreAll: Reward["score"] = async (inputs, signal, log) => {
    signal?.throwIfAborted();
    const call = caller.call(name, batchArguments(inputs), inputs.length);
    const outcome = outcomeOr(await call, `  all ${inputs.length} completions of a sampling\n`);
    if (outcome) log?.add(outcome.logged, null);
    return outcome?.scores ?? inputs.map(() => null);
  };
  return { name, needsGold: false, score: batch ? scoreAll : scoreEach, close: () => caller.close() };
}

/** The scores; what was logged is noted in the completions' order, not the answers'. */
function noteAll(outcomes: readonly ((Outcome & { ok: true }) | null)[], log: RewardLog | undefined): Scores {
  outcomes.forEach((outcome, i) => {
    if (outcome) log?.add(outcome.logged, i);
  });
  return outcomes.map((outcome) => outcome?.scores[0] ?? null);
}

function argumentsOf(input: RewardInput): CallArgs {
  const { completion, completionIds, row, truncated } = input;
  return { ...row, completion, completionIds: [...completionIds], prompt: ownPrompt(input), truncated };
}

/** As TRL: every column as a list beside the completions. */
function batchArguments(inputs: readonly RewardInput[]): CallArgs {
  const columns = new Set(inputs.flatMap(({ row }) => Object.keys(row)));
  const lists = [...columns].map((column) => [column, inputs.map(({ row }) => row[column])] as const);
  return {
    ...Object.fromEntries(lists),
    completions: inputs.map(({ completion }) => completion),
    completion_ids: inputs.map(({ completionIds }) => [...completionIds]),
    prompts: inputs.map(ownPrompt),
    truncated: inputs.map(({ truncated }) => truncated),
  };
}

const ownPrompt = ({ prompt }: RewardInput) => (typeof prompt === "string" ? prompt : [...prompt]);

function aboutOne(input: RewardInput): string {
  const number = input.index === undefined ? "" : ` ${input.index + 1}`;
  return (
    `  row${number}: ${excerpt(JSON.stringify(input.row))}\n` +
    `  completion: ${excerpt(JSON.stringify(input.completion))}\n`
  );
}

const failure = (name: string, place: string, about: string, message: string): UserError =>
  new UserError(
    `reward "${name}" of ${place} failed: ${message}\n${about}` +
      `  correct the function, or set reward_on_error: null to leave such completions out`,
  );

function excerpt(text: string, limit = 300): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}… (${text.length} characters)`;
}

/** Maps with at most CONCURRENCY calls open, keeping the order; stops at the first failure or when aborted. */
async function mapConcurrently<T>(
  batch: readonly RewardInput[],
  visit: (input: RewardInput) => Promise<T>,
  signal?: AbortSignal,
): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  let stopped = false;
  const lane = async (): Promise<void> => {
    while (next < batch.length && !stopped) {
      signal?.throwIfAborted();
      const i = next++;
      results[i] = await visit(batch[i]!);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, batch.length) }, lane));
  } finally {
    stopped = true;
  }
  return results;
}
