/** Rewards by the names a recipe's `reward_funcs` gives: built in, or a user's file. */
import { UserError } from "../errors.js";
import { createAccuracy } from "./accuracy.js";
import { createCosine } from "./cosine.js";
import { createFormat } from "./format.js";
import { type Functions, inCodeReward, isInCodeSpec } from "./in-code.js";
import { createLength } from "./length.js";
import { REWARD_DEFAULTS, type RewardOptions } from "./options.js";
import { createReasoningSteps } from "./reasoning-steps.js";
import { createRepetitionPenalty } from "./repetition-penalty.js";
import { createSoftOverlongPunishment } from "./soft-overlong.js";
import { createTagCount } from "./tag-count.js";
import type { Judge, Reward } from "./types.js";
import { isUserRewardSpec, loadUserRewards } from "./user.js";
import { createJudge } from "./verdict.js";

type Factory = (options: RewardOptions, judge: Judge) => Reward;

const FACTORIES: Readonly<Record<string, Factory>> = {
  accuracy: createAccuracy,
  format: createFormat,
  tag_count: createTagCount,
  cosine: createCosine,
  reasoning_steps: createReasoningSteps,
  length: createLength,
  repetition_penalty: createRepetitionPenalty,
  soft_overlong_punishment: createSoftOverlongPunishment,
};

/** The built-in rewards. */
export const REWARD_NAMES: readonly string[] = Object.keys(FACTORIES);

/**
 * A built-in reward. Options left out take Open-RS's defaults.
 * @param judge decides correctness; by default src/math's verifier. Rewards that share one verify each completion once.
 * @throws UserError for an unknown name or an option out of range
 */
export function createReward(name: string, options: Partial<RewardOptions> = {}, judge?: Judge): Reward {
  const all: RewardOptions = { ...REWARD_DEFAULTS, ...options };
  const factory = Object.hasOwn(FACTORIES, name) ? FACTORIES[name] : undefined;
  if (factory === undefined) throw unknownReward(name);
  return factory(all, judge ?? createJudge(all));
}

/**
 * The rewards of a recipe, in order.
 * @param specs built-in names, files ("my_rewards.ts": every exported function, or "my_rewards.ts#name"), or "fn:name"
 * @param baseDir folder that relative files start from, the recipe's
 * @param functions what "fn:name" stands for
 */
export async function loadRewards(
  specs: readonly string[],
  options: Partial<RewardOptions> = {},
  baseDir: string = process.cwd(),
  functions: Functions = {},
): Promise<Reward[]> {
  const all: RewardOptions = { ...REWARD_DEFAULTS, ...options };
  const judge = createJudge(all);
  const rewards: Reward[] = [];
  try {
    for (const spec of specs) {
      if (isUserRewardSpec(spec)) rewards.push(...(await loadUserRewards(spec, all, baseDir)));
      else if (isInCodeSpec(spec)) rewards.push(inCodeReward(spec, functions, all));
      else rewards.push(createReward(spec, all, judge));
    }
    refuseTwins(rewards);
    return rewards;
  } catch (error) {
    await Promise.all(rewards.map((reward) => reward.close?.()));
    throw error;
  }
}

function unknownReward(name: string): UserError {
  const known = REWARD_NAMES.join(", ");
  if (name === "code" || name === "code_format") {
    return new UserError(`reward "${name}" of the original repository is not part of open-rs; there are ${known}`);
  }
  return new UserError(`unknown reward "${name}": there are ${known}, or name a .ts or .js file with your own`);
}

function refuseTwins(rewards: readonly Reward[]): void {
  const names = rewards.map((reward) => reward.name);
  const twin = names.find((name, i) => names.indexOf(name) !== i);
  if (twin !== undefined) throw new UserError(`two rewards are named "${twin}": rename one, their metrics would mix`);
}
