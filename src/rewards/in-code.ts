/** Rewards that a program passes as functions. A recipe names them "fn:<name>": what it holds must stay text. */
import { UserError } from "../errors.js";
import { recorder } from "./log.js";
import { type Outcome, outcomeOf } from "./outcome.js";
import type { Reward } from "./types.js";
import { type Caller, type UserRewardOptions, userReward } from "./user.js";
import type { UserBatchReward, UserReward } from "./user-types.js";

const PREFIX = "fn:";

/** Functions by the name their metrics get. */
export type Functions = Readonly<Record<string, UserReward | UserBatchReward>>;

export const isInCodeSpec = (spec: string): boolean => spec.startsWith(PREFIX);

/**
 * The recipe's name of a function.
 * @throws UserError if it has none of its own
 */
export function inCodeSpec(reward: UserReward | UserBatchReward): string {
  if (reward.name === "")
    throw new UserError("a reward function has no name: give it one, its metrics are called by it");
  return `${PREFIX}${reward.name}`;
}

/** @throws UserError if the function is not among those given, as when a run of a program is resumed from the command line */
export function inCodeReward(spec: string, functions: Functions, options: UserRewardOptions): Reward {
  const name = spec.slice(PREFIX.length);
  const reward = functions[name];
  if (reward === undefined) {
    throw new UserError(
      `reward ${spec} is a function of a program: run that program, or name a .ts or .js file instead`,
    );
  }
  const batch = "batch" in reward && reward.batch === true;
  return userReward({ name, batch }, "your program", caller(reward, options.reward_timeout_ms), options);
}

/** A function that never returns cannot be stopped here, unlike one in a file; one that never resolves can. */
function caller(reward: UserReward | UserBatchReward, timeoutMs: number): Caller {
  const call: Caller["call"] = async (_name, args, size) => {
    const { logged, ...log } = recorder(size);
    // What a function takes is told by its mark.
    const run = reward as (given: typeof args) => unknown;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<Outcome>((resolve) => {
      timer = setTimeout(() => resolve({ ok: false, message: `it took longer than ${timeoutMs} ms` }), timeoutMs);
    });
    try {
      return await Promise.race([
        Promise.resolve(run({ ...args, ...log })).then((value) => outcomeOf(value, logged, size)),
        timeout,
      ]);
    } catch (error) {
      return { ok: false, message: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
    } finally {
      clearTimeout(timer);
    }
  };
  return { call, close: async () => {} };
}
