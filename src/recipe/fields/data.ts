import { z } from "zod";
import { count } from "./common.js";

/** What GRPO and SFT read a dataset with. */
export const dataFields = {
  dataset_name: z
    .string()
    .min(1)
    .describe("A .jsonl or .parquet file, a folder of them, or a dataset's name on the hub."),
  dataset_config: z.string().nullable().default(null).describe("Configuration (subset) of a dataset on the hub."),
  dataset_revision: z.string().default("main").describe("Branch, tag or commit of a dataset on the hub."),
  dataset_train_split: z.string().default("train").describe("Split to train on."),
  dataset_test_split: z.string().default("test").describe("Split to evaluate on."),
  dataset_prompt_column: z
    .string()
    .nullable()
    .default(null)
    .describe("Column with the prompt (text or chat messages). null: prompt, problem or question, whichever is there."),
  column_mapping: z
    .record(z.string(), z.string())
    .default({})
    .describe("Other names for columns, as {name used here: column in the dataset}."),
  shuffle_dataset: z.boolean().default(true).describe("Take the rows in a new random order in every epoch."),
  system_prompt: z.string().nullable().default(null).describe("System message put before every prompt."),
  chat_template: z.string().nullable().default(null).describe("Chat template (Jinja) instead of the model's own."),
  chat_template_path: z.string().nullable().default(null).describe("File with the chat template."),
  chat_template_kwargs: z
    .record(z.string(), z.unknown())
    .default({})
    .describe("Further values the chat template reads."),
};

export const promptFields = {
  gold_column: z
    .string()
    .min(1)
    .default("auto")
    .describe(
      "Column with the gold answer; auto: solution where it holds a boxed answer or stands alone, else answer.",
    ),
  max_prompt_length: count().nullable().default(512).describe("Longest prompt in tokens. null: no limit."),
  on_long_prompt: z
    .enum(["drop", "cut"])
    .default("drop")
    .describe("A longer prompt's row is dropped, or its beginning cut off, as the original did. Both are counted."),
};
