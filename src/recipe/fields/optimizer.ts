import { z } from "zod";
import { RAMPS, SCHEDULES } from "../../torch/schedule-names.js";
import { batch, count, nonNegative, positive, share, whole } from "./common.js";

/** Names of transformers, and adamw_bf16; src/training/precision.ts says what each keeps. */
const OPTIMIZERS = [
  "adamw_torch_fused",
  "adamw_torch",
  "adamw_hf",
  "paged_adamw",
  "paged_adamw_32bit",
  "adamw_bf16",
  "adamw_8bit",
  "adamw_bnb_8bit",
  "adamw_torch_8bit",
  "paged_adamw_8bit",
] as const;

const MAX_LR = 10;
/** At 1 a moment would never learn anything, and its bias correction divides by 0. */
const decay = () => z.number().min(0).lt(1);

/** Which schedule takes which: SCHEDULE_ARGUMENTS. */
const schedulerArguments = z
  .strictObject({
    min_lr: nonNegative(MAX_LR).optional(),
    min_lr_rate: share().optional(),
    num_cycles: positive(1e6).optional(),
    warmup_lr_rate: share().optional(),
    lr_end: nonNegative(MAX_LR).optional(),
    power: positive(1000).optional(),
    timescale: positive().optional(),
    num_decay_steps: count().optional(),
    num_stable_steps: whole().optional(),
    warmup_type: z.enum(RAMPS).optional(),
    decay_type: z.enum(RAMPS).optional(),
    min_lr_ratio: share().optional(),
    mode: z.enum(["min", "max"]).optional(),
    factor: z.number().gt(0).lt(1).optional(),
    patience: whole().optional(),
    threshold: nonNegative().optional(),
    threshold_mode: z.enum(["rel", "abs"]).optional(),
    cooldown: whole().optional(),
    warmup: whole().optional(),
    max_lr: positive(MAX_LR).optional(),
    eps: nonNegative().optional(),
    smooth: z.boolean().optional(),
    window_size: count().optional(),
    reset_start: count().optional(),
  })
  .default({})
  .describe(
    "Arguments of the schedule, with transformers' names and defaults. cosine_with_min_lr takes min_lr, or min_lr_rate as a share of " +
      "learning_rate; warmup_stable_decay needs num_decay_steps; docs/schedules.md has all of them.",
  );

/** @param learningRate TRL's default for the trainer: 1e-6 for GRPO, 2e-5 for SFT. */
export function optimizerFields(learningRate: number) {
  return {
    learning_rate: nonNegative(MAX_LR).default(learningRate).describe("Peak learning rate of AdamW."),
    lr_scheduler_type: z
      .enum(SCHEDULES)
      .default("linear")
      .describe(
        "How the learning rate falls after its warm-up. reduce_lr_on_plateau and greedy follow metric_for_best_model of the evaluations.",
      ),
    lr_scheduler_kwargs: schedulerArguments,
    warmup_ratio: share().default(0).describe("Share of all steps in which the learning rate rises from 0."),
    warmup_steps: nonNegative()
      .default(0)
      .describe("Steps of warm-up, before warmup_ratio if above 0; below 1: a share."),
    max_steps: z.int().min(-1).max(1e9).default(-1).describe("Optimizer steps; -1: as num_train_epochs says."),
    num_train_epochs: positive(1e6).default(3).describe("Passes over the dataset, if max_steps is -1."),
    per_device_train_batch_size: batch().default(8).describe("Sequences per micro-batch; bnpo averages over one."),
    gradient_accumulation_steps: batch().default(1).describe("Micro-batches per optimizer step and process."),
    num_processes: batch()
      .default(1)
      .describe(
        "Training processes of the original launch (open-rs: 3). One step takes " +
          "per_device_train_batch_size · gradient_accumulation_steps · num_processes sequences, here in one process.",
      ),
    max_grad_norm: nonNegative(1e30).default(1).describe("Longer gradients are scaled down to this norm; 0: never."),
    optim: z
      .enum(OPTIMIZERS)
      .default("adamw_torch_fused")
      .describe(
        "AdamW, its moments in float32 (8 bytes a parameter), in bfloat16 (4: adamw_bf16), or in 8 bits (2: the names with 8bit). " +
          "Names of one precision do the same here.",
      ),
    weight_decay: nonNegative(100).default(0).describe("Weight decay of AdamW (not on norms and biases)."),
    adam_beta1: decay().default(0.9).describe("Decay of AdamW's first moment."),
    adam_beta2: decay().default(0.999).describe("Decay of AdamW's second moment."),
    adam_epsilon: z.number().min(1e-30).max(1).default(1e-8).describe("Added to AdamW's denominator."),
    seed: z.int().min(0).default(42).describe("Seed of sampling and of everything random."),
    data_seed: z.int().min(0).nullable().default(null).describe("Seed of the rows' order. null: seed."),
  };
}
