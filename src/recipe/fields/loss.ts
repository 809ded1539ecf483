import { z } from "zod";
import { anyNumber, count, nonNegative, positive, share, temperatureAbove0 } from "./common.js";

export const lossFields = {
  loss_type: z
    .enum(["grpo", "bnpo", "dr_grpo", "dapo", "cispo", "sapo"])
    .default("dapo")
    .describe("How token losses are averaged and clipped, with TRL's meaning."),
  beta: nonNegative(1000)
    .default(0)
    .describe("Weight of the KL term (k3 estimator) against the frozen start; 0: none."),
  sync_ref_model: z
    .boolean()
    .default(false)
    .describe("Let the reference follow the model, every ref_model_sync_steps steps (TR-DPO); needs a beta above 0."),
  ref_model_mixup_alpha: share()
    .default(0.6)
    .describe("The model's share in the new reference; the rest is the reference before."),
  ref_model_sync_steps: count().default(512).describe("Steps between two of these."),
  epsilon: nonNegative(1e6)
    .default(0.2)
    .describe("Clip range of the policy ratio, below 1 and (unless epsilon_high) above."),
  epsilon_high: positive(1e6).nullable().default(null).describe("Clip range above 1. null: epsilon."),
  delta: positive(1e6)
    .nullable()
    .default(null)
    .describe("Upper bound of the unclipped ratio (INTELLECT-2). null: none."),
  sapo_temperature_pos: positive(1000).default(1).describe("sapo: how fast tokens of good completions fade out."),
  sapo_temperature_neg: positive(1000).default(1.05).describe("sapo: the same for the other completions."),
  top_entropy_quantile: share()
    .default(1)
    .describe(
      "Learn only from this share of the tokens, those with the highest entropy (0.2 in arXiv 2506.01939); costs a scoring pass. 1: from all.",
    ),
  entropy_coef: anyNumber(1000)
    .default(0)
    .describe("Weight of the tokens' mean entropy, which the loss then rewards, whatever loss_type; 0: none."),
  num_iterations: count(1000).default(1).describe("Updates on each batch of completions: μ of GRPO."),
  importance_sampling_level: z
    .enum(["token", "sequence"])
    .default("token")
    .describe("Policy ratio per token, or one per completion (GSPO)."),
  scale_rewards: z
    .union([
      z.enum(["group", "batch", "none"]),
      z.boolean().transform((on): "group" | "none" => (on ? "group" : "none")),
    ])
    .default("group")
    .describe(
      "Divide advantages by the standard deviation of the group, of the batch, or not. true: group, false: none.",
    ),
  multi_objective_aggregation: z
    .enum(["sum_then_normalize", "normalize_then_sum"])
    .default("sum_then_normalize")
    .describe(
      "Several rewards: the group's baseline and deviation of their weighted sum, or each reward's own before they are summed " +
        "(GDPO; the sum is then normalized over the batch, whatever scale_rewards).",
    ),
  mask_truncated_completions: z
    .boolean()
    .default(false)
    .describe("Leave truncated completions out of the loss (DAPO)."),
  logprob_temperature: temperatureAbove0()
    .nullable()
    .default(null)
    .describe(
      "Temperature of the log-probabilities in the loss. null: that of sampling, as TRL does now; open-rs used 1.",
    ),
  use_bias_correction_kl: z
    .boolean()
    .default(true)
    .describe(
      "Multiply the KL term by the policy ratio, so that its gradient is unbiased (DeepSeek-V3.2). open-rs: false.",
    ),
  vllm_importance_sampling_correction: z
    .boolean()
    .default(false)
    .describe("Correct the loss for the difference between sampler and trainer. Here they share one set of weights."),
  vllm_importance_sampling_mode: z
    .enum(["token_truncate", "token_mask", "sequence_truncate", "sequence_mask"])
    .default("sequence_mask")
    .describe("Ratio per token or per completion; outside the bounds it is cut to them or set to zero."),
  vllm_importance_sampling_clip_max: positive().nullable().default(3).describe("Upper bound (cap) of that ratio."),
  vllm_importance_sampling_clip_min: nonNegative().nullable().default(null).describe("Lower bound of that ratio."),
};
