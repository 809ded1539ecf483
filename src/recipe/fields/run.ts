import { z } from "zod";
import { batch, count, interval, strategy } from "./common.js";

export const runFields = {
  output_dir: z
    .string()
    .min(1)
    .default("runs/default")
    .describe("Folder of the run: checkpoints, metrics, completions."),
  run_name: z.string().nullable().default(null).describe("Name shown for the run. null: that of output_dir."),
  overwrite_output_dir: z
    .boolean()
    .default(false)
    .describe("Start anew where output_dir holds a run of another recipe. The same recipe resumes all the same."),
  resume_from_checkpoint: z
    .union([z.boolean(), z.string()])
    .nullable()
    .default(null)
    .describe(
      "null or true: the last checkpoint in output_dir if there is one; false: start anew; or a checkpoint folder.",
    ),
  save_strategy: strategy(["no", "steps", "epoch"]).default("steps").describe("When to save a checkpoint."),
  save_steps: interval().default(500).describe("Steps between checkpoints; below 1: a share of the run."),
  save_total_limit: count()
    .nullable()
    .default(null)
    .describe("Keep this many checkpoints, the latest, with load_best_model_at_end also the best. null: all."),
  save_only_model: z.boolean().default(false).describe("Checkpoints without the optimizer: smaller, but no resuming."),
  logging_steps: interval().default(1).describe("Steps between two rows of metrics; below 1: a share of the run."),
  logging_first_step: z.boolean().default(false).describe("A row of metrics after the first step too."),
  eval_strategy: strategy(["no", "steps", "epoch"])
    .default("no")
    .describe("When to evaluate on dataset_test_split; steps: every eval_steps and at the end."),
  eval_steps: interval()
    .nullable()
    .default(null)
    .describe("Steps between evaluations; below 1: a share of the run. null: logging_steps."),
  eval_on_start: z.boolean().default(false).describe("Evaluate before the first step."),
  load_best_model_at_end: z
    .boolean()
    .default(false)
    .describe(
      "The trained model is the best checkpoint by metric_for_best_model, the earlier of equals, not the last one. " +
        "save_strategy must be eval_strategy, and save_steps a multiple of eval_steps.",
    ),
  metric_for_best_model: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      "Metric of the evaluations by which load_best_model_at_end judges, and which the schedules reduce_lr_on_plateau and " +
        "greedy follow; with or without eval_ before it. null: reward, for SFT loss.",
    ),
  greater_is_better: z
    .boolean()
    .nullable()
    .default(null)
    .describe("Whether more of that metric is better. null: yes, unless its name ends with loss."),
};

export const completionFields = {
  log_completions: z
    .boolean()
    .default(false)
    .describe("Show completions with their rewards on the terminal; all are written to files anyway."),
  num_completions_to_print: count()
    .nullable()
    .default(1)
    .describe("Completions shown per row of metrics, of several prompts if there are. null: all."),
  num_generations_eval: batch()
    .nullable()
    .default(null)
    .describe("Completions per prompt in evaluation. null: as in training."),
};
