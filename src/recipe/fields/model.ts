import { z } from "zod";
import { DEVICE } from "../device.js";
import { count } from "./common.js";

export const modelFields = {
  model_name_or_path: z.string().min(1).describe("Folder of a checkpoint, or its name on the Hugging Face hub."),
  model_revision: z.string().default("main").describe("Branch, tag or commit of a model on the hub."),
  dtype: z
    .enum(["auto", "float32", "bfloat16", "float16"])
    .default("auto")
    .describe("Precision the model computes in; auto: as bf16 says."),
  bf16: z
    .boolean()
    .nullable()
    .default(null)
    .describe(
      "Compute in bfloat16, whatever the checkpoint holds; false: in float32. " +
        "null: a bfloat16 checkpoint in bfloat16 on GPUs and on processors with AVX512-BF16 or AMX, all else in float32.",
    ),
  force_dtype: z
    .boolean()
    .default(false)
    .describe(
      "Compute in the bfloat16 that dtype or bf16 asks for also on a processor without instructions for it, where float32, " +
        "which is taken otherwise, is many times faster. --dtype on the command line implies it.",
    ),
  master_weights: z
    .boolean()
    .default(true)
    .describe(
      "Keep float32 copies of half-precision weights for the optimizer (4 bytes a parameter). " +
        "false: round bfloat16 weights stochastically instead, so that small updates arrive in the mean.",
    ),
  gradient_checkpointing: z
    .union([z.boolean(), z.literal("auto")])
    .default("auto")
    .describe(
      "Keep only each layer's input and compute the rest again in the backward pass, a third more work. " +
        "auto and true: where memory is too small otherwise; false: never.",
    ),
  max_tokens_per_micro_batch: z
    .union([z.literal("auto"), count()])
    .default("auto")
    .describe(
      "Most tokens of one forward and backward pass; a longer sequence has one of its own. Changes memory and speed, not the gradient. " +
        "auto: from the size of the model and of the machine's memory.",
    ),
  device: z
    .string()
    .regex(DEVICE, "auto, cpu, cuda, or cuda:N")
    .default("auto")
    .describe("Where to compute: cpu, cuda (the first GPU) or cuda:N; auto: the first GPU, else the CPU."),
  deterministic: z
    .boolean()
    .default(false)
    .describe(
      "On a GPU: learn with algorithms that give the same bits on every run, slower (FlashAttention's backward pass otherwise adds in " +
        "any order). A CPU gives the same bits anyway.",
    ),
  threads: count(1024).nullable().default(null).describe("Threads for the CPU. null: the physical cores available."),
};
