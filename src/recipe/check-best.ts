/** transformers' conditions of load_best_model_at_end: only weights that are both evaluated and saved can be loaded. */
import type { Problem } from "./check.js";
import type { GrpoRecipe, SftRecipe } from "./schema.js";

export function bestModelProblem(recipe: GrpoRecipe | SftRecipe): Problem | undefined {
  const { load_best_model_at_end, eval_strategy, save_strategy, save_steps } = recipe;
  if (!load_best_model_at_end) return undefined;
  const key = "load_best_model_at_end";
  if (eval_strategy === "no")
    return { key, message: "nothing is evaluated: set eval_strategy and save_strategy to steps, or both to epoch" };
  if (eval_strategy !== save_strategy)
    return { key, message: `save_strategy ${save_strategy} must be the same as eval_strategy ${eval_strategy}` };
  if (eval_strategy === "epoch") return undefined;
  const eval_steps = recipe.eval_steps ?? recipe.logging_steps;
  const name = recipe.eval_steps === null ? "logging_steps (eval_steps is null)" : "eval_steps";
  if (save_steps < 1 !== eval_steps < 1) {
    const message = `${save_steps} and ${name} ${eval_steps}: load_best_model_at_end needs both as steps or both as shares`;
    return { key: "save_steps", message };
  }
  if (isMultiple(save_steps, eval_steps)) return undefined;
  const message = `${save_steps} is no multiple of ${name} ${eval_steps}, which load_best_model_at_end needs`;
  return { key: "save_steps", message };
}

/** Shares in millionths: 0.3 is three times 0.1. */
function isMultiple(save: number, evaluate: number): boolean {
  const whole = (interval: number) => (interval < 1 ? Math.max(1, Math.round(interval * 1e6)) : interval);
  return whole(save) % whole(evaluate) === 0;
}
