/** Whether lr_scheduler_kwargs fit lr_scheduler_type. */
import { isAdaptive, SCHEDULE_ARGUMENTS, SCHEDULES } from "../torch/schedule-names.js";
import type { Problem } from "./check.js";
import type { GrpoRecipe, SftRecipe } from "./schema.js";

/** transformers' end of the polynomial, where none is given. */
const LR_END = 1e-7;

export function scheduleProblem(recipe: GrpoRecipe | SftRecipe): Problem | undefined {
  const { lr_scheduler_type: type, lr_scheduler_kwargs: kwargs, learning_rate } = recipe;
  if (isAdaptive(type) && recipe.eval_strategy === "no")
    return {
      key: "lr_scheduler_type",
      message: `${type} follows the evaluations: set eval_strategy to steps or epoch`,
    };
  const key = "lr_scheduler_kwargs";
  const takes: readonly string[] = SCHEDULE_ARGUMENTS[type];
  const given = Object.keys(kwargs).filter((name) => kwargs[name as keyof typeof kwargs] !== undefined);
  const foreign = given.find((name) => !takes.includes(name));
  if (foreign !== undefined) return { key, message: foreignArgument(type, foreign, takes) };
  const minima = given.filter((name) => name === "min_lr" || name === "min_lr_rate").length;
  if (takes.includes("min_lr_rate") && minima !== 1)
    return { key, message: `${type} takes either min_lr or min_lr_rate` };
  if (type === "warmup_stable_decay" && kwargs.num_decay_steps === undefined)
    return { key, message: `${type} needs num_decay_steps, the last steps in which the learning rate falls` };
  const end = kwargs.lr_end ?? LR_END;
  if (type === "polynomial" && end >= learning_rate)
    return { key, message: `lr_end ${end} must be below learning_rate ${learning_rate}, from which polynomial falls` };
  return undefined;
}

function foreignArgument(type: string, name: string, takes: readonly string[]): string {
  const others = SCHEDULES.filter((other) => (SCHEDULE_ARGUMENTS[other] as readonly string[]).includes(name));
  const own = takes.length > 0 ? `it takes ${takes.join(", ")}` : "it takes none";
  return `${type} takes no ${name} (${own}): choose ${others.join(" or ")}, or remove it`;
}
