import { z } from "zod";
import { REWARD_NAMES } from "../../rewards/registry.js";
import { anyNumber, count, tokens } from "./common.js";

export const rewardFields = {
  reward_funcs: z
    .array(z.string().min(1))
    .min(1)
    .default(["accuracy", "format", "tag_count"])
    .describe(
      `Rewards by name (${REWARD_NAMES.join(", ")}), or your own: file.ts for every function it exports, ` +
        "file.ts#name for one; a relative path starts from the recipe's folder.",
    ),
  reward_weights: z.array(anyNumber()).nullable().default(null).describe("One weight per reward. null: all 1."),
  reward_timeout: z
    .number()
    .min(0.001)
    .max(1e6)
    .nullable()
    .default(30)
    .describe("Seconds one call of a reward may take. null: no limit."),
  reward_on_error: z
    .enum(["stop", "null"])
    .default("stop")
    .describe("A reward that throws or runs out of time stops the run, or counts as not given."),
  gold_unparseable: z
    .enum(["drop", "score_1", "null", "error"])
    .default("drop")
    .describe(
      "A gold answer that cannot be read: drop the row, score it 1 as the original did, give no score, or stop.",
    ),
  cosine_min_value_wrong: anyNumber().default(0).describe("Cosine reward of a wrong answer of no length."),
  cosine_max_value_wrong: anyNumber()
    .default(-0.5)
    .describe("Cosine reward of a wrong answer of length cosine_max_len."),
  cosine_min_value_correct: anyNumber()
    .default(0.5)
    .describe("Cosine reward of a correct answer of length cosine_max_len."),
  cosine_max_value_correct: anyNumber().default(1).describe("Cosine reward of a correct answer of no length."),
  cosine_max_len: count().default(1000).describe("Length at which the cosine reward has come all the way."),
  cosine_length_unit: z
    .enum(["tokens", "characters"])
    .default("tokens")
    .describe("What cosine_max_len counts. The original counted characters."),
  cosine_clamp: z
    .boolean()
    .default(true)
    .describe("Keep the cosine at its end past cosine_max_len; the original let it turn back."),
  repetition_n_grams: count(1000).default(3).describe("Words per n-gram of the repetition penalty."),
  repetition_max_penalty: z
    .number()
    .min(-1e6)
    .max(0)
    .default(-1)
    .describe("Repetition penalty of a text that only repeats itself."),
  max_completion_len: tokens()
    .nullable()
    .default(null)
    .describe("Tokens at which soft_overlong_punishment is full (-1). null: max_completion_length."),
  soft_punish_cache: z
    .int()
    .min(0)
    .max(2 ** 20)
    .nullable()
    .default(null)
    .describe("Tokens before max_completion_len from which the punishment grows from 0. null: a fifth of it."),
  length_unit: z.enum(["tokens", "characters"]).default("tokens").describe("What the length reward counts."),
  length_over: z
    .enum(["prompt", "batch"])
    .default("prompt")
    .describe(
      "Whose lengths the length reward compares: one prompt's completions (Kimi 1.5), or all, as the original.",
    ),
};
