import type { UserRewardArgs } from "../../src/rewards/index.js";

/** The reward of peer/trl_grpo.py: 1 for the answer in the text, and a hundredth for every character it knows. */
export function reward({ completion, answer }: UserRewardArgs): number {
  return Number(completion.includes(String(answer))) + 0.01 * new Set(completion).size;
}
