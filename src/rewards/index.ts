export { type Functions, inCodeSpec } from "./in-code.js";
export { RewardLog } from "./log.js";
export { REWARD_DEFAULTS, type RewardOptions } from "./options.js";
export { createReward, loadRewards, REWARD_NAMES } from "./registry.js";
export type { Judge, Reward, RewardInput, Scores, Verdict } from "./types.js";
export type { UserBatchArgs, UserBatchReward, UserReward, UserRewardArgs } from "./user-types.js";
