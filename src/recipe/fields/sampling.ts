import { z } from "zod";
import { batch, count, positive, share, temperatureAbove0, tokens } from "./common.js";

export const samplingFields = {
  num_generations: z.int().min(2).max(65_536).default(8).describe("Completions per prompt: the group G of GRPO."),
  generation_batch_size: batch()
    .nullable()
    .default(null)
    .describe("Completions sampled at once. null: per_device_train_batch_size · num_processes · steps_per_generation."),
  steps_per_generation: batch()
    .nullable()
    .default(null)
    .describe("Micro-batches trained on per sampling. null: gradient_accumulation_steps, so one step per sampling."),
  max_completion_length: tokens().default(512).describe("Longest completion in tokens; longer ones are truncated."),
  min_completion_length: z
    .int()
    .min(0)
    .max(2 ** 20)
    .default(0)
    .describe("No end token before this many tokens, as generation_kwargs: {min_new_tokens}; for benchmarks."),
  temperature: z
    .union([z.literal(0), temperatureAbove0()])
    .default(1)
    .describe("Sampling temperature; 0 is greedy."),
  top_p: positive().max(1).default(1).describe("Sample from the most likely tokens that hold this probability."),
  top_k: z.int().min(0).max(1e9).default(0).describe("Sample from this many most likely tokens; 0: all."),
  min_p: share().nullable().default(null).describe("Drop tokens less likely than this times the most likely one."),
  repetition_penalty: z
    .number()
    .min(0.01)
    .max(100)
    .default(1)
    .describe("Divides the logits of tokens that occurred already; 1: off."),
  stop_strings: z.array(z.string().min(1)).default([]).describe("A completion also ends after any of these texts."),
  stop_token_ids: z
    .array(
      z
        .int()
        .min(0)
        .max(2 ** 31 - 1),
    )
    .default([])
    .describe("A completion also ends with any of these tokens, as with the model's own end tokens."),
  kv_cache_gib: positive()
    .nullable()
    .default(null)
    .describe(
      "Memory of sampling's keys and values in GiB: it says how many completions are sampled at a time. " +
        "null: what weights and optimizer leave of the machine's memory, and 256 completions at most.",
    ),
  dynamic_sampling: z
    .boolean()
    .default(false)
    .describe("Replace groups whose rewards are all equal (they teach nothing) by fresh prompts (DAPO, section 3.2)."),
  dynamic_sampling_max_rounds: count(1000)
    .default(4)
    .describe("Samplings per step at most; then the equal groups stay. Both are counted."),
};
