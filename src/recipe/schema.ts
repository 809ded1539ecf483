/** The recipe's keys: the one source of validation, defaults, command-line options, help and docs/recipe.md. */
import { z } from "zod";
import { dataFields, promptFields } from "./fields/data.js";
import { loraFields } from "./fields/lora.js";
import { lossFields } from "./fields/loss.js";
import { modelFields } from "./fields/model.js";
import { optimizerFields } from "./fields/optimizer.js";
import { rewardFields } from "./fields/rewards.js";
import { completionFields, runFields } from "./fields/run.js";
import { samplingFields } from "./fields/sampling.js";
import { sftFields } from "./fields/sft.js";

const compatibilityFields = {
  trl_defaults: z
    .enum(["auto", "current", "open-rs"])
    .default("auto")
    .describe(
      "Whose defaults fill what the recipe leaves out: TRL 1.13 (current) or the TRL that open-rs pinned. " +
        "auto: open-rs for a file with a key that only that TRL knew, such as vllm_device.",
    ),
};

const grpoOptimizer = optimizerFields(1e-6);
const sftOptimizer = optimizerFields(2e-5);

export const GrpoSchema = z.object({
  ...modelFields,
  ...loraFields,
  ...dataFields,
  ...promptFields,
  ...samplingFields,
  ...lossFields,
  ...rewardFields,
  ...grpoOptimizer,
  ...runFields,
  ...completionFields,
  ...compatibilityFields,
});

export const SftSchema = z.object({
  ...modelFields,
  ...loraFields,
  ...dataFields,
  ...sftFields,
  ...sftOptimizer,
  ...runFields,
});

/** A resolved GRPO recipe: every key of docs/recipe.md with its value. */
export type GrpoRecipe = z.infer<typeof GrpoSchema>;
/** A resolved SFT recipe. */
export type SftRecipe = z.infer<typeof SftSchema>;

export interface Section {
  title: string;
  keys: readonly string[];
}

export interface RecipeKind<T> {
  name: "train" | "sft";
  schema: z.ZodType<T>;
  fields: Readonly<Record<string, z.ZodType>>;
  sections: readonly Section[];
}

function section(title: string, ...shapes: object[]): Section {
  return { title, keys: shapes.flatMap((shape) => Object.keys(shape)) };
}

export const GRPO: RecipeKind<GrpoRecipe> = {
  name: "train",
  schema: GrpoSchema,
  fields: GrpoSchema.shape,
  sections: [
    section("Model", modelFields),
    section("LoRA", loraFields),
    section("Data", dataFields, promptFields),
    section("Sampling", samplingFields),
    section("Loss", lossFields),
    section("Rewards", rewardFields),
    section("Steps and optimizer", grpoOptimizer),
    section("Run", runFields, completionFields),
    section("Compatibility", compatibilityFields),
  ],
};

export const SFT: RecipeKind<SftRecipe> = {
  name: "sft",
  schema: SftSchema,
  fields: SftSchema.shape,
  sections: [
    section("Model", modelFields),
    section("LoRA", loraFields),
    section("Data", dataFields, sftFields),
    section("Steps and optimizer", sftOptimizer),
    section("Run", runFields),
  ],
};
