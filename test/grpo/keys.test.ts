/** Keys of TRL in a whole run: what they leave in its folder. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, expect, test } from "vitest";
import { runGrpo } from "../../src/grpo/run.js";
import { loadGrpoRecipe } from "../../src/recipe/index.js";
import { readMetrics } from "../../src/run/metrics.js";
import { temporaryFolder, tinyCheckpoint, tinyDataset, tinyRecipe } from "../support/tiny-run.js";

const folder = temporaryFolder();
let outputs = 0;

async function trainWith(more: readonly string[]) {
  const output = path.join(folder, `run-${outputs++}`);
  const short = ["--save_strategy", "no", "--max_completion_length", "5", "--max_steps", "2"];
  const { recipe } = loadGrpoRecipe(undefined, tinyRecipe(folder, output, [...short, ...more]));
  await runGrpo(recipe, () => {});
  const lines = readFileSync(path.join(output, "completions/step-000002.jsonl"), "utf8").trim().split("\n");
  return {
    output,
    rows: readMetrics(path.join(output, "metrics.jsonl")),
    completions: lines.map((line) => JSON.parse(line)),
  };
}

beforeAll(() => {
  tinyCheckpoint(folder);
  tinyDataset(folder);
});

test("log_metric is a metric, log_extra a column, also of a reward over the whole batch", async () => {
  const file = path.join(folder, "logs.mjs");
  writeFileSync(
    file,
    `export const lengths = ({ completions, log_metric, log_extra }) => {
       log_metric("longest", Math.max(...completions.map((c) => c.length)));
       log_extra("place", completions.map((_, i) => i));
       return completions.map((c) => c.length / 10);
     };
     lengths.batch = true;`,
  );
  const { rows, completions } = await trainWith(["--reward_funcs", file]);
  expect(completions.map(({ extra }) => extra)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((place) => ({ place })));
  expect(completions.map(({ rewards }) => rewards.lengths)).toEqual(
    completions.map((row) => row.completion.length / 10),
  );
  expect(rows[1]!.longest).toBe(Math.max(...completions.map((row) => row.completion.length)));
});

test("an entropy bonus says what it took from the loss", async () => {
  const { rows } = await trainWith(["--entropy_coef", "0.01", "--top_entropy_quantile", "0.5", "--loss_type", "sapo"]);
  for (const row of rows) {
    expect(row.entropy_coef).toBe(0.01);
    const bonus = Number(row.policy_loss) - Number(row.loss);
    // The kept half of the tokens is the more uncertain one.
    expect(bonus).toBeGreaterThanOrEqual(0.01 * Number(row.entropy) * (1 - 1e-5));
  }
});
