/** Keys of TRL in a whole run: what they leave in its folder. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { runGrpo } from "../../src/grpo/run.js";
import { loadGrpoRecipe } from "../../src/recipe/index.js";
import { readMetrics } from "../../src/run/metrics.js";
import { temporaryFolder, tinyCheckpoint, tinyDataset, tinyRecipe } from "../support/tiny-run.js";

const CHILD = fileURLToPath(new URL("../support/train-child.ts", import.meta.url));
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

test("stop_token_ids end completions, which then are not truncated", async () => {
  const every = Array.from({ length: 384 }, (_, id) => String(id));
  const { rows } = await trainWith(["--stop_token_ids", ...every]);
  expect(rows[0]).toMatchObject({ "completions/max_length": 1, "completions/clipped_ratio": 0 });
});

test("kv_cache_gib: sampled a few at a time, as many as ever", async () => {
  const { completions } = await trainWith(["--kv_cache_gib", "0.000001"]);
  expect(completions).toHaveLength(8);
});

test("disable_dropout: adapters have none", async () => {
  const lora = ["--use_peft", "true", "--lora_r", "4", "--lora_dropout", "0.3"];
  const dropoutOf = ({ output }: { output: string }) =>
    JSON.parse(readFileSync(path.join(output, "adapter_config.json"), "utf8")).lora_dropout;
  expect(dropoutOf(await trainWith([...lora, "--disable_dropout", "true"]))).toBe(0);
  expect(dropoutOf(await trainWith(lora))).toBe(0.3);
});

test("Ctrl-C does not wait for slow rewards", async () => {
  const reward = path.join(folder, "slow.mjs");
  const begun = path.join(folder, "slow-begun");
  writeFileSync(
    reward,
    `import { writeFileSync } from "node:fs";
    export const slow = () => { writeFileSync(${JSON.stringify(begun)}, ""); return new Promise((done) => setTimeout(() => done(1), 60_000)); };`,
  );
  const keys = tinyRecipe(folder, path.join(folder, "slow"), ["--reward_funcs", reward, "--reward_timeout", "100"]);
  const child = spawn(process.execPath, ["--import", "tsx", CHILD, "{}", ...keys], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = once(child, "exit");
  while (!existsSync(begun)) await new Promise((resolve) => setTimeout(resolve, 50));
  child.kill("SIGINT");
  const start = performance.now();
  const [code] = await ended;
  // A second on a quiet machine; the reward would take a minute.
  expect(performance.now() - start).toBeLessThan(20_000);
  expect(code).toBe(0);
});
