import { resolve } from "node:path";
import type { RewardOptions } from "../rewards/options.js";
import { isUserRewardSpec } from "../rewards/user.js";
import type { GrpoRecipe } from "./schema.js";

/** Longest delay Node's timers take: 24 days. */
const NEVER_MS = 2 ** 31 - 1;

/** The rewards' options, from a recipe's keys. */
export function rewardOptions(recipe: GrpoRecipe): RewardOptions {
  const { reward_timeout, gold_unparseable, max_completion_len, soft_punish_cache, ...keys } = recipe;
  const longest = max_completion_len ?? recipe.max_completion_length;
  return {
    ...keys,
    max_completion_len: longest,
    // The share of DAPO: 4,096 of 20,480.
    soft_punish_cache: soft_punish_cache ?? Math.floor(longest / 5),
    // Rows whose gold cannot be read are dropped before training; one that comes through all the same is an error.
    gold_unparseable: gold_unparseable === "drop" ? "error" : gold_unparseable,
    reward_timeout_ms: reward_timeout === null ? NEVER_MS : reward_timeout * 1000,
  };
}

/** reward_funcs with the files among them as absolute paths. */
export function absoluteRewards(specs: readonly string[], folder: string): string[] {
  return specs.map((spec) => (isUserRewardSpec(spec) ? resolve(folder, spec) : spec));
}
