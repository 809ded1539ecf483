import { z } from "zod";
import { tokens } from "./common.js";

export const sftFields = {
  dataset_text_field: z
    .string()
    .default("text")
    .describe("Column of plain text, for rows without prompt and completion."),
  dataset_completion_column: z.string().default("completion").describe("Column with the completion."),
  max_length: tokens().nullable().default(1024).describe("Longer sequences are cut at their end. null: no limit."),
  packing: z
    .boolean()
    .default(false)
    .describe("Put several examples into one row of max_length tokens, best fit first."),
  completion_only_loss: z
    .boolean()
    .nullable()
    .default(null)
    .describe("Learn only the completion. null: for rows that have one."),
};
