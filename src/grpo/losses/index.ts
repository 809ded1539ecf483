/** Policy losses: grpo, bnpo, dr_grpo, dapo, cispo, sapo, each per token or per sequence (GSPO). */
export { LOSSES, Objective } from "./objective.js";
export { mergeStats, report, type Stat, type Stats } from "./stats.js";
export type { ClipOptions, CorrectionOptions, Loss, LossOptions, LossTokens, LossType, StepShape } from "./types.js";
