import { z } from "zod";
import { LORA_MODULES } from "../../model/lora/names.js";
import { count, positive } from "./common.js";

const chosenModules = z.union([
  z.literal("all-linear"),
  // As TRL: a list of one is that one.
  z
    .array(z.literal("all-linear"))
    .length(1)
    .transform(() => "all-linear" as const),
  z.array(z.enum(LORA_MODULES)).min(1),
]);

export const loraFields = {
  use_peft: z
    .boolean()
    .default(false)
    .describe("Train low-rank adapters (LoRA) on the frozen model, saved in PEFT's format; it is its own reference."),
  lora_r: count(16_384).default(16).describe("Rank of the adapters."),
  lora_alpha: positive(1e6).default(32).describe("Adapters are scaled by lora_alpha / lora_r."),
  disable_dropout: z
    .boolean()
    .default(false)
    .describe("No dropout, whatever lora_dropout says; models have none here."),
  lora_dropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0.05)
    .describe("Share of the adapters' inputs dropped while learning; sampling drops none."),
  lora_target_modules: chosenModules
    .nullable()
    .default(null)
    .describe(
      "Linear maps of each layer with an adapter. null: q_proj and v_proj, PEFT's default (qkv_proj where a model has that instead); all-linear: all.",
    ),
  use_rslora: z.boolean().default(false).describe("Scale by lora_alpha / √lora_r instead (rank-stabilised LoRA)."),
  merge_adapters: z
    .boolean()
    .default(false)
    .describe(
      "At the end write the whole model with its adapters added in to output_dir, and the adapters to output_dir/adapter.",
    ),
};
