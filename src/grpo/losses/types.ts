/**
 * The nouns of the policy losses. Tokens are packed: one flat list of the completion tokens that count, sequence after sequence, without
 * padding. A completion masked out of the loss has no tokens here but is still one of the N sequences.
 *
 * T tokens, N sequences.
 */
import type { Tensor } from "../../torch/index.js";

export type LossType = "grpo" | "bnpo" | "dr_grpo" | "dapo" | "cispo" | "sapo";
export type CorrectionMode = "token_truncate" | "token_mask" | "sequence_truncate" | "sequence_mask";

/** Clipping of the policy ratio; TRL's names and meaning. */
export interface ClipOptions {
  epsilon: number;
  /** null: epsilon. For `cispo` the cap of the ratio itself. */
  epsilon_high: number | null;
  /** Upper bound of the ratio where the clipped objective would leave it unbounded (INTELLECT-2, arXiv 2505.07291); null: none. */
  delta: number | null;
}

/** All that a loss type may read. */
export interface SurrogateOptions extends ClipOptions {
  /** `sapo`'s τ for tokens of good (advantage above 0) and of other completions. */
  sapo_temperature_pos: number;
  sapo_temperature_neg: number;
}

/** Correction for completions sampled by (slightly) other weights or numerics than those that are trained. */
export interface CorrectionOptions {
  vllm_importance_sampling_correction: boolean;
  vllm_importance_sampling_mode: CorrectionMode;
  vllm_importance_sampling_clip_max: number | null;
  vllm_importance_sampling_clip_min: number | null;
}

/** All that says what the loss is: a recipe is one. */
export interface LossOptions extends SurrogateOptions, CorrectionOptions {
  loss_type: LossType;
  beta: number;
  /** `sequence`: one ratio per completion (GSPO, arXiv 2507.18071). */
  importance_sampling_level: "token" | "sequence";
  /** Multiply the KL term by the policy ratio (DeepSeek-V3.2, arXiv 2512.02556). */
  use_bias_correction_kl: boolean;
}

/** What the loss needs to know of its tokens, all float32 [T] but the index. */
export interface LossTokens {
  /** The tokens' log-probabilities before this step's updates; null when that is the present policy. */
  old_T: Tensor | null;
  /** Under the frozen reference; needed when beta is not 0. */
  ref_T: Tensor | null;
  /** As the sampler reported them; needed for the correction. */
  sampling_T: Tensor | null;
  advantages_T: Tensor;
  /** Each token's share in the objective (a Loss's `weights`, repeated over the sequence's tokens). */
  weights_T: Tensor;
  /** 1 for tokens that stay in the policy's loss, 0 for others (top_entropy_quantile); absent or null: all stay. */
  keep_T?: Tensor | null;
  /** Which of the N sequences a token belongs to, int64, ascending. */
  sequence_T: Tensor;
  /** Tokens per sequence, 0 for those masked out; they sum to T. */
  lengths: readonly number[];
}

/** The completions of one optimizer step, as far as averaging is concerned. */
export interface StepShape {
  /** Loss tokens of each completion in order, 0 for those masked out. */
  lengths: readonly number[];
  /** Completions per micro-batch (TRL's per_device_train_batch_size), whatever micro-batches we really compute. */
  perMicroBatch: number;
  /** dr_grpo's constant length. */
  maxCompletionLength: number;
  /** Loss tokens of the generation batch, divided by the number of optimizer steps it feeds. */
  tokensPerStep: number;
}

/** Per-token losses before averaging, and where clipping took the gradient. */
export interface Surrogate {
  loss_T: Tensor;
  /** Flags by metric: 1 where clipped. */
  low_T?: Tensor;
  high_T?: Tensor;
}

/** One kind of loss: what a token loses, and how tokens are averaged. */
export interface Loss {
  surrogate(ratio_T: Tensor, logps_T: Tensor, advantages_T: Tensor, options: SurrogateOptions): Surrogate;
  /** The weight of each token of sequence n, so that the loss is the sum over an optimizer step of weight × token loss. */
  weights(step: StepShape): number[];
}
