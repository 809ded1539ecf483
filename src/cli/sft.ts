/** `open-rs sft RECIPE`: supervised fine-tuning, to warm a model up. */
import type { Command } from "commander";
import { loadSftRecipe, SFT } from "../recipe/index.js";
import { log, registerRecipeCommand, report } from "./recipe-options.js";

const EXAMPLES = `  $ open-rs sft recipe.yaml --dry-run
  $ open-rs sft --model_name_or_path DIR --dataset_name FILE.jsonl --max_steps 100 --packing --output_dir runs/warm`;

export default function register(program: Command): Command {
  return registerRecipeCommand(program, {
    kind: SFT,
    description: "fine-tune a model on worked examples: completion-only loss, packing",
    examples: EXAMPLES,
    load: loadSftRecipe,
    run: async ({ recipe }) => {
      const { runSft } = await import("../sft/index.js");
      report(await runSft(recipe, log));
    },
  });
}
