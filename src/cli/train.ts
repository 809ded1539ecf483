/** `open-rs train RECIPE`: GRPO. */
import type { Command } from "commander";
import { GRPO, loadGrpoRecipe } from "../recipe/index.js";
import { log, registerRecipeCommand, report } from "./recipe-options.js";

const EXAMPLES = `  $ open-rs train open-rs3 --dry-run
  $ open-rs train recipe.yaml --model_name_or_path DIR --dataset_name FILE.jsonl --max_steps 2
  $ open-rs train recipe.yaml --reward_funcs accuracy my-rewards.ts --reward_weights 1 0.5
  $ open-rs train recipe.yaml --lr_scheduler_type cosine_with_min_lr --lr_scheduler_kwargs.min_lr_rate 0.1`;

export default function register(program: Command): Command {
  return registerRecipeCommand(program, {
    kind: GRPO,
    description: "train a model with GRPO, as a recipe says; run again, it resumes where it stopped",
    examples: EXAMPLES,
    load: loadGrpoRecipe,
    run: async ({ recipe }) => {
      const { runGrpo } = await import("../grpo/run.js");
      report(await runGrpo(recipe, log));
    },
  });
}
