/** open-rs: reinforcement learning for reasoning in small language models. */
export { type SftOptions, sft, type TrainOptions, train } from "./api.js";
export { type Completion, Engine, type EngineOptions, type GenerateOptions } from "./engine/index.js";
export { UserError } from "./errors.js";
export type { TrainOutcome } from "./grpo/run.js";
export { extract, verify } from "./math/index.js";
export { addLora, CausalLM, LORA_MODULES, type LoadOptions, loadModel, saveModel } from "./model/index.js";
export type { GrpoRecipe, SftRecipe } from "./recipe/index.js";
export {
  createReward,
  type Reward,
  type RewardInput,
  type UserBatchArgs,
  type UserBatchReward,
  type UserReward,
  type UserRewardArgs,
} from "./rewards/index.js";
export type { SftOutcome } from "./sft/index.js";
export { loadTokenizer, type Tokenizer } from "./text/index.js";
