export { type Functions, inCodeSpec } from "./in-code.js";
export { REWARD_DEFAULTS, type RewardOptions } from "./options.js";
export { createReward, loadRewards, REWARD_NAMES } from "./registry.js";
export type { Judge, Reward, RewardInput, Scores, Verdict } from "./types.js";
export type { UserReward, UserRewardArgs } from "./user-types.js";
