/** Every key of a recipe with the edges of what it takes, from its schema. */
import { z } from "zod";
import { GRPO } from "../../src/recipe/schema.js";

interface Schema {
  anyOf?: Schema[];
  type?: string;
  enum?: unknown[];
  const?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
}

const WRONG = ["", "x", "-1", "0", "1e308", "-1e308", "1e-308", "null", "true", ".nan", ".inf", "[]", "{a: 1}"];

/** What only takes longer, up to for ever, or names a file: tried by validation alone. */
const LONG = new Set([
  ...["per_device_train_batch_size", "gradient_accumulation_steps", "num_processes", "num_generations"],
  ...["generation_batch_size", "steps_per_generation", "num_iterations", "num_generations_eval", "max_steps"],
  ...["dynamic_sampling_max_rounds", "output_dir", "lora_r"],
]);

function edgesOf(schema: Schema): string[] {
  if (schema.anyOf) return schema.anyOf.flatMap(edgesOf);
  if (schema.enum) return schema.enum.map(String);
  if (schema.const !== undefined) return [String(schema.const)];
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const ends = [minimum, maximum, exclusiveMinimum, exclusiveMaximum].filter((end) => end !== undefined);
  return ends.flatMap((end) => [end, end - 1, end + 1, end / 2]).map(String);
}

/** Every key with the ends of its range, its words, and what it does not take. */
export function allEdges(): [key: string, value: string][] {
  return Object.entries(GRPO.fields).flatMap(([key, field]) => {
    const schema = z.toJSONSchema(field, { io: "input" }) as Schema;
    return [...new Set([...edgesOf(schema), ...WRONG])].map((value): [string, string] => [key, value]);
  });
}

/** Those that a run of a second can try. */
export const recipeEdges = (): [key: string, value: string][] => allEdges().filter(([key]) => !LONG.has(key));
