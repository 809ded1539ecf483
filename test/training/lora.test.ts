// Runs that train adapters: what they leave behind, that they learn, and that a killed one ends with the same bits.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { runGrpo } from "../../src/grpo/run.js";
import { type CausalLM, loadModel, saveModel } from "../../src/model/index.js";
import { loadGrpoRecipe, loadSftRecipe } from "../../src/recipe/index.js";
import { readMetrics, withoutTiming } from "../../src/run/metrics.js";
import { runSft } from "../../src/sft/index.js";
import { liveTensors } from "../../src/torch/index.js";
import { loadSafetensors } from "../../src/torch/safetensors.js";
import { logprobsOf, maxDifference } from "../model/fixtures.js";
import { additions, sftKeys } from "../sft/additions.js";
import { temporaryFolder, tinyCheckpoint, tinyDataset, tinyRecipe } from "../support/tiny-run.js";

const CHILD = fileURLToPath(new URL("../support/train-child.ts", import.meta.url));
const folder = temporaryFolder();
const sums = temporaryFolder();
const LORA = ["--use_peft", "true", "--lora_r", "4", "--lora_alpha", "8", "--lora_target_modules", "all-linear"];
const IDS = [5, 90, 17, 200, 33, 41, 300, 8];
let outputs = 0;
const lines: string[] = [];

async function grpo(more: readonly string[] = [], output = path.join(folder, `run-${outputs++}`)) {
  const { recipe } = loadGrpoRecipe(undefined, tinyRecipe(folder, output, [...LORA, "--max_steps", "3", ...more]));
  const outcome = await runGrpo(recipe, (line) => lines.push(line));
  return { outcome, output, rows: readMetrics(path.join(output, "metrics.jsonl")) };
}

beforeAll(() => {
  tinyCheckpoint(folder);
  tinyDataset(folder);
  const base = loadModel(tinyCheckpoint(sums), { copy: true });
  saveModel(base, path.join(sums, "model"), { dtype: "bfloat16" });
  additions(sums);
});

describe("a run leaves behind", () => {
  test("an adapter in PEFT's files beside the tokenizer's, and no copy of the model", async () => {
    const { output, outcome } = await grpo();
    expect(outcome.finished).toBe(true);
    for (const place of [output, path.join(output, "checkpoint-3")]) {
      const files = readdirSync(place);
      for (const file of [
        "adapter_config.json",
        "adapter_model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
      ])
        expect(files).toContain(file);
      expect(files).not.toContain("model.safetensors");
      expect(files).not.toContain("config.json");
    }
    expect(JSON.parse(readFileSync(path.join(output, "adapter_config.json"), "utf8"))).toMatchObject({
      peft_type: "LORA",
      task_type: "CAUSAL_LM",
      base_model_name_or_path: path.join(folder, "model"),
      r: 4,
      lora_alpha: 8,
      lora_dropout: 0.05,
      target_modules: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    });
    expect(lines).toContain("LoRA: 2,048 of 12,944 parameters are trained (15.82 %)");
  });

  test("moments of the adapters only, and adapters that moved on a base that did not", async () => {
    const { output } = await grpo();
    const state = [...loadSafetensors(path.join(output, "checkpoint-3/optimizer.safetensors")).tensors.keys()];
    expect(state.length).toBe(2 * 4 * 2 * 3);
    for (const name of state) expect(name).toMatch(/\.lora_[AB]\.weight$/);
    const [before, after] = [loadModel(path.join(folder, "model")), loadModel(output)];
    for (const [name, weight] of before.weights) expect(after.weights.get(name)!.toArray()).toEqual(weight.toArray());
    for (const [name, { b }] of after.lora!.modules())
      expect(
        b.toArray().some((x) => x !== 0),
        name,
      ).toBe(true);
  });

  test("with merge_adapters the merged model, and the adapter in a folder of its own", async () => {
    const { output } = await grpo(["--merge_adapters", "true"]);
    const [merged, live, start] = [output, path.join(output, "adapter"), path.join(folder, "model")].map((dir) =>
      logprobsOf(loadModel(dir), IDS),
    ) as [number[], number[], number[]];
    expect(loadModel(output).lora).toBeUndefined();
    expect(maxDifference(merged, live)).toBeLessThan(1e-5);
    expect(maxDifference(merged, start)).toBeGreaterThan(1e-2);
  });

  test("no tensors", async () => {
    await grpo(["--beta", "0.1"]);
    const before = liveTensors();
    await grpo(["--beta", "0.1", "--merge_adapters", "true"]);
    expect(liveTensors() - before).toBe(0);
  });
});

test("the reference is the base: no KL at the start, some once the adapters have moved", async () => {
  const { rows } = await grpo(["--beta", "0.04", "--lora_dropout", "0"]);
  expect(rows[0]!.kl).toBe(0);
  expect(rows[2]!.kl).toBeGreaterThan(1e-4);
  // Sampler and trainer see the same adapters.
  for (const row of rows) expect(row["sampling/sampling_logp_difference/max"]).toBeLessThan(1e-4);
});

test("training raises the reward", async () => {
  const batch = ["--per_device_train_batch_size", "32", "--num_generations", "8", "--save_strategy", "no"];
  const rate = ["--lr_scheduler_type", "constant", "--learning_rate", "0.02"];
  const { rows } = await grpo(["--max_steps", "24", ...batch, ...rate]);
  const mean = (part: typeof rows) => part.reduce((sum, row) => sum + Number(row.reward), 0) / part.length;
  expect(mean(rows.slice(-4))).toBeGreaterThan(mean(rows.slice(0, 4)) + 0.1);
});

test("SFT lowers the loss on a bfloat16 base with float32 adapters", async () => {
  const keys = sftKeys(sums, path.join(sums, "run"), [...LORA, "--learning_rate", "0.01", "--max_steps", "20"]);
  await runSft(loadSftRecipe(undefined, keys).recipe, () => {});
  const rows = readMetrics(path.join(sums, "run/metrics.jsonl"));
  expect(rows.at(-1)!.loss).toBeLessThan(0.8 * Number(rows[0]!.loss));
  const model: CausalLM = loadModel(path.join(sums, "run"));
  expect(model.dtype).toBe("bfloat16");
  for (const adapter of model.parameters().values()) expect(adapter.dtype).toBe("float32");
});

describe("killed and resumed, bit for bit, dropout included", () => {
  const run = (dir: string, output: string, fsync?: number) => {
    const sft = dir === sums;
    const steps = ["--max_steps", "6", "--lora_dropout", "0.2", ...(sft ? [] : ["--beta", "0.04"])];
    const keys = (sft ? sftKeys : tinyRecipe)(dir, output, [...LORA, ...steps]);
    const when = JSON.stringify({ ...(sft && { sft }), ...(fsync && { fsync }) });
    return spawnSync(process.execPath, ["--import", "tsx", CHILD, when, ...keys], { encoding: "utf8" });
  };
  const result = (output: string) => ({
    ...Object.fromEntries(
      ["adapter_model.safetensors", "checkpoint-6/adapter_model.safetensors", "checkpoint-6/optimizer.safetensors"].map(
        (file) => [file, readFileSync(path.join(output, file)).toString("base64")],
      ),
    ),
    metrics: readMetrics(path.join(output, "metrics.jsonl")).map(withoutTiming),
  });

  test.each([
    ["GRPO", folder],
    ["SFT", sums],
  ])("%s", (name, dir) => {
    const [whole, killed] = [path.join(dir, `${name}-whole`), path.join(dir, `${name}-killed`)];
    expect(run(dir, whole).status).toBe(0);
    expect(run(dir, killed, 40).signal).toBe("SIGKILL");
    expect(existsSync(path.join(killed, "checkpoint-2"))).toBe(true);
    expect(existsSync(path.join(killed, "checkpoint-6"))).toBe(false);
    const again = run(dir, killed);
    expect(again.status, again.stderr).toBe(0);
    expect(again.stderr).toMatch(/going on from/);
    expect(result(killed)).toEqual(result(whole));
  });
});

test("adapters on adapters are refused", async () => {
  const { output } = await grpo(["--max_steps", "1"]);
  await expect(grpo(["--model_name_or_path", output])).rejects.toThrow(
    /use_peft: .* holds an adapter itself: merge it/,
  );
});

test.each<[string[], unknown]>([
  [[], null],
  [["all-linear"], "all-linear"],
  [["[all-linear]"], "all-linear"],
  [
    ["q_proj", "o_proj"],
    ["q_proj", "o_proj"],
  ],
  [["down_proj"], ["down_proj"]],
])("lora_target_modules %j is %j", (words, expected) => {
  const given = words.length > 0 ? ["--lora_target_modules", ...words] : [];
  const { recipe } = loadGrpoRecipe(undefined, tinyRecipe(folder, "x", given));
  expect(recipe.lora_target_modules).toEqual(expected);
});

test.each<[string[], RegExp]>([
  [["--lora_target_modules", "q_proj", "lm_head"], /lora_target_modules/],
  [["--lora_r", "0"], /lora_r/],
  [["--lora_dropout", "1"], /lora_dropout/],
  [["--use_dora", "true"], /use_dora true is not supported/],
  [["--lora_modules_to_save", "lm_head"], /lora_modules_to_save .* is not supported/],
])("%j is refused", (words, message) => {
  expect(() => loadGrpoRecipe(undefined, tinyRecipe(folder, "x", words))).toThrow(message);
});
