/** The metric of the evaluations by which weights are judged: transformers' metric_for_best_model and greater_is_better. */
import { UserError } from "../errors.js";
import type { GrpoRecipe } from "../recipe/index.js";

export type MetricKeys = Pick<GrpoRecipe, "metric_for_best_model" | "greater_is_better">;

/** What an evaluation has: the mean reward with GRPO, the loss with SFT. */
const USUAL = ["eval_reward", "eval_loss"];

/**
 * @param name with or without eval_; null: the usual one
 * @throws UserError if the evaluation has no such metric, or it is not a number
 */
export function metricValue(name: string | null, metrics: Readonly<Record<string, number>>): number {
  const wanted = name === null ? USUAL : [name.startsWith("eval_") ? name : `eval_${name}`];
  const value = wanted.map((key) => metrics[key]).find((found) => found !== undefined);
  if (value !== undefined && !Number.isNaN(value)) return value;
  const what = value === undefined ? "is not among the evaluation's metrics" : "is not a number in this evaluation";
  throw new UserError(
    `metric_for_best_model ${name ?? wanted.join(" or ")} ${what}: choose one of ${Object.keys(metrics).join(", ")}`,
  );
}

/** As the evaluations call it. Without a name it is the reward (GRPO) or the loss (SFT). */
export function metricName(keys: MetricKeys): string {
  const name = keys.metric_for_best_model ?? ("reward_funcs" in keys ? "reward" : "loss");
  return name.startsWith("eval_") ? name : `eval_${name}`;
}

/** As transformers: more is better, unless it is a loss. */
export function greaterIsBetter(keys: MetricKeys): boolean {
  return keys.greater_is_better ?? !metricName(keys).endsWith("loss");
}
