/** Keys of the recipe that must reach what they name. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { runGrpo } from "../../src/grpo/run.js";
import { loadGrpoRecipe } from "../../src/recipe/index.js";
import { readMetrics } from "../../src/run/metrics.js";
import { loadTokenizer } from "../../src/text/index.js";
import { temporaryFolder, tinyCheckpoint, tinyDataset, tinyRecipe } from "../support/tiny-run.js";

const folder = temporaryFolder();
let outputs = 0;

async function trainWith(more: readonly string[]) {
  const output = path.join(folder, `run-${outputs++}`);
  const { recipe } = loadGrpoRecipe(undefined, tinyRecipe(folder, output, ["--max_steps", "1", ...more]));
  await runGrpo(recipe, () => {});
  return { output, rows: readMetrics(path.join(output, "metrics.jsonl")), completions: completionsOf(output) };
}

const completionsOf = (output: string) =>
  readFileSync(path.join(output, "completions/step-000001.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { row: number; prompt: string });

beforeAll(() => {
  tinyCheckpoint(folder);
  tinyDataset(folder);
});

const TEMPLATE = "{% for m in messages %}{{ m.content }}{% endfor %}=";

describe("a chat template of the recipe", () => {
  const file = path.join(folder, "own.jinja");
  beforeAll(() => writeFileSync(file, TEMPLATE));

  test.each([
    ["chat_template", TEMPLATE],
    ["chat_template_path", file],
  ])("%s makes the prompts, and is saved with the model and its checkpoints", async (key, value) => {
    const { output, completions } = await trainWith([`--${key}`, value]);
    for (const { prompt } of completions) expect(prompt).toMatch(/^What is \d+\+\d+\?=$/);
    for (const saved of [output, path.join(output, "checkpoint-1")])
      expect(loadTokenizer(saved).chatTemplate).toBe(TEMPLATE);
  });

  test("a file that cannot be read is named", async () => {
    await expect(trainWith(["--chat_template_path", "no/such.jinja"])).rejects.toThrow(
      /chat_template_path no\/such.jinja cannot be read/,
    );
  });
});

test("without one the model's own template is saved as it was", async () => {
  const { output } = await trainWith([]);
  const own = loadTokenizer(path.join(folder, "model")).chatTemplate;
  expect(loadTokenizer(output).chatTemplate).toBe(own);
});

test("a wrong number of reward_weights is told before the first sampling", async () => {
  const reward = path.join(folder, "two.mjs");
  writeFileSync(reward, "export const a = () => 1;\nexport const b = () => 0;\n");
  await expect(trainWith(["--reward_funcs", reward, "--reward_weights", "1"])).rejects.toThrow(
    /reward_weights: 1 weight for 2 rewards \(a, b\)/,
  );
});

test("completions name their row in the data set, rows that were dropped counted", async () => {
  const data = path.join(folder, "golds.jsonl");
  const golds = ["", "", "3", "4"];
  const rows = golds.map((answer, i) => ({ problem: `question ${i}`, answer }));
  writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const { completions } = await trainWith(["--dataset_name", data, "--reward_funcs", "accuracy"]);
  for (const { row, prompt } of completions) expect(prompt).toContain(`question ${row}`);
});

test("dynamic sampling says its rounds also where one was enough", async () => {
  const reward = path.join(folder, "alternating.mjs");
  writeFileSync(reward, "let n = 0;\nexport const alternating = () => (n += 1) % 2;\n");
  const { rows } = await trainWith(["--dynamic_sampling", "true", "--reward_funcs", reward]);
  expect(rows[0]).toMatchObject({ "dynamic_sampling/rounds": 1, "dynamic_sampling/replaced_groups": 0 });
});

test.each(["float32", "bfloat16"])("dtype %s trains", async (dtype) => {
  const { rows } = await trainWith(["--dtype", dtype]);
  expect(rows).toHaveLength(1);
});

test("float16 is refused: without loss scaling its small gradients vanish", () => {
  expect(() => loadGrpoRecipe(undefined, tinyRecipe(folder, "x", ["--dtype", "float16"]))).toThrow(
    /dtype: float16 .*loss scaling.*bfloat16 or float32/,
  );
});
