/** Keys of ours that another key's value leaves without effect. */
import { isAdaptive } from "../torch/schedule-names.js";
import type { GrpoRecipe } from "./schema.js";

interface Rule {
  keys: readonly string[];
  /** Whether they have no effect in this recipe. */
  idle(recipe: GrpoRecipe): boolean;
  reason: string;
}

const uses = (recipe: GrpoRecipe, reward: string): boolean => recipe.reward_funcs.includes(reward);
const evaluates = (recipe: GrpoRecipe): boolean => recipe.eval_strategy !== "no" || recipe.eval_on_start;

const RULES: readonly Rule[] = [
  { keys: ["num_train_epochs"], idle: (r) => r.max_steps > 0, reason: "max_steps says when to stop" },
  { keys: ["warmup_ratio"], idle: (r) => r.warmup_steps > 0, reason: "warmup_steps says how long" },
  { keys: ["save_steps"], idle: (r) => r.save_strategy !== "steps", reason: "only with save_strategy: steps" },
  { keys: ["eval_steps"], idle: (r) => r.eval_strategy !== "steps", reason: "only with eval_strategy: steps" },
  {
    keys: ["dataset_test_split", "num_generations_eval"],
    idle: (r) => !evaluates(r),
    reason: "only with eval_strategy or eval_on_start",
  },
  {
    keys: ["metric_for_best_model", "greater_is_better"],
    idle: (r) => !isAdaptive(r.lr_scheduler_type) && !r.load_best_model_at_end,
    reason: "only with load_best_model_at_end, or lr_scheduler_type: reduce_lr_on_plateau or greedy",
  },
  { keys: ["num_completions_to_print"], idle: (r) => !r.log_completions, reason: "only with log_completions: true" },
  {
    keys: ["dynamic_sampling_max_rounds"],
    idle: (r) => !r.dynamic_sampling,
    reason: "only with dynamic_sampling: true",
  },
  {
    keys: ["mode", "clip_max", "clip_min"].map((name) => `vllm_importance_sampling_${name}`),
    idle: (r) => !r.vllm_importance_sampling_correction,
    reason: "only with vllm_importance_sampling_correction: true",
  },
  {
    keys: ["sapo_temperature_pos", "sapo_temperature_neg"],
    idle: (r) => r.loss_type !== "sapo",
    reason: "only with loss_type: sapo",
  },
  {
    keys: ["scale_rewards"],
    idle: (r) => r.multi_objective_aggregation === "normalize_then_sum",
    reason: "normalize_then_sum always scales by the batch",
  },
  {
    keys: ["ref_model_mixup_alpha", "ref_model_sync_steps"],
    idle: (r) => !r.sync_ref_model,
    reason: "only with sync_ref_model: true",
  },
  { keys: ["use_bias_correction_kl"], idle: (r) => r.beta === 0, reason: "only with a beta above 0" },
  {
    keys: [
      ...["min_value_wrong", "max_value_wrong", "min_value_correct", "max_value_correct"].map((k) => `cosine_${k}`),
      ...["cosine_max_len", "cosine_length_unit", "cosine_clamp"],
    ],
    idle: (r) => !uses(r, "cosine"),
    reason: "only with the reward cosine",
  },
  {
    keys: ["repetition_n_grams", "repetition_max_penalty"],
    idle: (r) => !uses(r, "repetition_penalty"),
    reason: "only with the reward repetition_penalty",
  },
  {
    keys: ["max_completion_len", "soft_punish_cache"],
    idle: (r) => !uses(r, "soft_overlong_punishment"),
    reason: "only with the reward soft_overlong_punishment",
  },
  { keys: ["length_unit", "length_over"], idle: (r) => !uses(r, "length"), reason: "only with the reward length" },
];

/** Of the keys given, those without effect in this recipe, with the reason. */
export function idleKeys(recipe: GrpoRecipe, stated: ReadonlySet<string>): Map<string, string> {
  const rules = RULES.filter((rule) => rule.idle(recipe));
  return new Map(
    rules.flatMap(({ keys, reason }) => keys.filter((key) => stated.has(key)).map((key) => [key, reason] as const)),
  );
}
