/** Every number of a recipe has both ends of its range, and what cannot be meant is refused before anything is allocated for it. */
import { expect, test } from "vitest";
import { z } from "zod";
import { loadGrpoRecipe, loadSftRecipe } from "../../src/recipe/index.js";
import { GRPO, SFT } from "../../src/recipe/schema.js";

interface Schema {
  type?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  [part: string]: unknown;
}

/** The numbers of a JSON schema, at any depth. */
function numbersIn(schema: unknown): Schema[] {
  if (typeof schema !== "object" || schema === null) return [];
  const own = schema as Schema;
  return [
    ...((own.type === "number" || own.type === "integer") && !("const" in own) ? [own] : []),
    ...Object.values(own).flatMap(numbersIn),
  ];
}

const SEEDS = ["seed", "data_seed"];
const numbers = [GRPO, SFT].flatMap(({ name, fields }) =>
  Object.entries(fields).flatMap(([key, field]) =>
    numbersIn(z.toJSONSchema(field, { io: "input" })).map((schema) => ({ name, key, schema })),
  ),
);

test("every number of a recipe has a least and a most", () => {
  expect(numbers.length).toBeGreaterThan(80);
  for (const { key, schema } of numbers) {
    const [low, high] = [schema.minimum ?? schema.exclusiveMinimum, schema.maximum ?? schema.exclusiveMaximum];
    expect([low, high], key).toEqual([expect.any(Number), expect.any(Number)]);
    // zod's own bound of integers is none of ours, except for seeds.
    if (!SEEDS.includes(key))
      expect(Math.max(-low!, high!), key).toBeLessThan(Number.MAX_SAFE_INTEGER * (key === "max_grad_norm" ? 1e30 : 1));
  }
});

const base = ["--model_name_or_path", "m", "--dataset_name", "d"];

test.each([
  ["threads", "100000", "an integer ≥ 1 and ≤ 1024 or null, not 100000"],
  ["per_device_train_batch_size", "1e12", "an integer ≥ 1 and ≤ 65536, not 1000000000000"],
  ["gradient_accumulation_steps", "1e9", "an integer ≥ 1 and ≤ 65536"],
  ["num_processes", "1000000", "an integer ≥ 1 and ≤ 65536"],
  ["num_iterations", "1e6", "an integer ≥ 1 and ≤ 1000"],
  ["learning_rate", "1e300", "a number ≥ 0 and ≤ 10"],
  ["adam_beta1", "1", "a number ≥ 0 and < 1"],
  ["adam_beta2", "1", "a number ≥ 0 and < 1"],
  ["weight_decay", "1e308", "a number ≥ 0 and ≤ 100"],
  ["repetition_penalty", "1e-308", "a number ≥ 0.01 and ≤ 100"],
  ["temperature", "1e-300", "0 or a number ≥ 0.001 and ≤ 1000"],
  ["beta", "1e308", "a number ≥ 0 and ≤ 1000"],
])("%s %s is refused", (key, value, message) => {
  expect(() => loadGrpoRecipe(undefined, [...base, `--${key}`, value])).toThrow(message);
});

const products: [string, string[], string][] = [
  [
    "a step",
    ["--gradient_accumulation_steps", "60000", "--num_processes", "60000"],
    "--gradient_accumulation_steps: one step takes 28800000000 sequences",
  ],
  [
    "a sampling",
    ["--steps_per_generation", "60000"],
    "--steps_per_generation: one sampling takes 480000 completions, 65536 at most",
  ],
];

test.each(products)("the sequences of %s have a most, too", (_name, words, message) => {
  expect(() => loadGrpoRecipe(undefined, [...base, ...words])).toThrow(message);
});

test("and of a step of SFT", () => {
  const words = ["--per_device_train_batch_size", "60000", "--num_processes", "2"];
  expect(() => loadSftRecipe(undefined, [...base, ...words])).toThrow("one step takes 120000 sequences");
});
