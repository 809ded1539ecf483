import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { loadModel, saveModel } from "../../src/model/index.js";
import { loadSftRecipe } from "../../src/recipe/index.js";
import { readMetrics } from "../../src/run/metrics.js";
import { runSft } from "../../src/sft/index.js";
import { loadTokenizer } from "../../src/text/index.js";
import { liveTensors, noGrad, ops } from "../../src/torch/index.js";
import { temporaryFolder, tinyCheckpoint } from "../support/tiny-run.js";
import { additions, sftKeys } from "./additions.js";

const folder = temporaryFolder();
let outputs = 0;
let lines: string[] = [];

async function sft(more: readonly string[] = [], output = path.join(folder, `run-${outputs++}`)) {
  lines = [];
  const { recipe } = loadSftRecipe(undefined, sftKeys(folder, output, more));
  const outcome = await runSft(recipe, (line) => lines.push(line));
  return { outcome, output, rows: readMetrics(path.join(output, "metrics.jsonl")) };
}

beforeAll(() => {
  tinyCheckpoint(folder);
  additions(folder);
});

test("a run leaves metrics, checkpoints, and the model in its folder", async () => {
  const { rows, outcome, output } = await sft(["--max_steps", "4"]);
  expect(outcome).toEqual({ step: 4, totalSteps: 4, finished: true, model: output });
  expect(rows.map((row) => row.step)).toEqual([1, 2, 3, 4]);
  const names = [
    "loss",
    "mean_token_accuracy",
    "entropy",
    "grad_norm",
    "learning_rate",
    "num_tokens",
    "epoch",
    "step_time",
  ];
  for (const row of rows) for (const name of names) expect(row[name]).toEqual(expect.any(Number));
  expect(rows[3]).toMatchObject({ epoch: 4 / 3 });
  const [before, after] = [loadModel(path.join(folder, "model")), loadModel(output)];
  for (const [name, weight] of after.parameters())
    expect(
      weight
        .sub(before.parameters().get(name)!)
        .toArray()
        .some((d) => d !== 0),
      name,
    ).toBe(true);
  expect(readdirSync(output)).toEqual(expect.arrayContaining(["checkpoint-2", "checkpoint-4", "tokenizer.json"]));
  expect(loadTokenizer(output).chatTemplate).toBeDefined();
});

test("num_tokens counts prompts and completions, whatever is learnt of them", async () => {
  const tokenizer = loadTokenizer(path.join(folder, "model"));
  const texts = readFileSync(path.join(folder, "train.jsonl"), "utf8").trim().split("\n");
  const tokens = texts.map((line) => {
    const { prompt, completion } = JSON.parse(line) as { prompt: string; completion: string };
    return tokenizer.encode(prompt + completion).length + 1;
  });
  const { rows } = await sft(["--max_steps", "3"]);
  expect(rows[2]?.num_tokens).toBe(tokens.reduce((a, b) => a + b, 0));
});

test("it learns: the loss falls, the accuracy rises", async () => {
  const { rows } = await sft(["--max_steps", "60", "--learning_rate", "0.01", "--save_strategy", "no"]);
  expect(Number(rows[59]?.loss)).toBeLessThan(Number(rows[0]?.loss) / 3);
  expect(Number(rows[59]?.mean_token_accuracy)).toBeGreaterThan(0.6);
});

test("accumulation is exact: 8 rows at once, or 2 in each of 4 micro-batches", async () => {
  const at = (batch: string, accumulation: string) =>
    sft(["--max_steps", "3", "--per_device_train_batch_size", batch, "--gradient_accumulation_steps", accumulation]);
  const [once, often] = [await at("8", "1"), await at("2", "4")];
  for (const name of ["loss", "grad_norm", "entropy"])
    for (const [i, row] of once.rows.entries())
      expect(Number(often.rows[i]?.[name]) / Number(row[name]), `${name} of step ${i + 1}`).toBeCloseTo(1, 4);
});

test("packing puts several examples into a row and changes nothing else", async () => {
  const all = ["--max_steps", "2", "--shuffle_dataset", "false", "--per_device_train_batch_size", "24"];
  const plain = await sft(all);
  const packed = await sft([...all, "--packing", "true", "--max_length", "40"]);
  expect(lines.join("\n")).toMatch(/packing: 24 examples in 12 rows of 40 tokens, \d\d\.\d % filled/);
  // All of them in one step either way: the same loss, since no example sees another.
  expect(Number(packed.rows[0]?.loss)).toBeCloseTo(Number(plain.rows[0]?.loss), 5);
});

test("logging_steps: a row holds the mean of its steps, the last step has one, too", async () => {
  const each = await sft(["--max_steps", "5"]);
  const some = await sft(["--max_steps", "5", "--logging_steps", "2"]);
  expect(some.rows.map((row) => row.step)).toEqual([2, 4, 5]);
  const losses = each.rows.map((row) => Number(row.loss));
  expect(some.rows[1]?.loss).toBeCloseTo((losses[2]! + losses[3]!) / 2, 12);
  expect(some.rows[1]).toMatchObject({
    num_tokens: each.rows[3]?.num_tokens,
    learning_rate: each.rows[3]?.learning_rate,
  });
});

test("evaluation: before, every eval_steps, on the other split", async () => {
  const data = path.join(folder, "splits");
  additions(data, "test-0.jsonl", 8, 30);
  additions(data, "train-0.jsonl", 24, 0);
  const keys = ["--dataset_name", data, "--eval_strategy", "steps", "--eval_steps", "2", "--eval_on_start", "true"];
  const { rows } = await sft([...keys, "--max_steps", "4"]);
  expect(rows.map((row) => [row.step, "eval_loss" in row])).toEqual([
    [0, true],
    [1, false],
    [2, true],
    [3, false],
    [4, true],
  ]);
  expect(Number(rows[4]?.eval_loss)).toBeLessThan(Number(rows[0]?.eval_loss));
});

test("no tensor outlives a run", async () => {
  await sft(["--max_steps", "1"]);
  const before = liveTensors();
  await sft(["--max_steps", "3"]);
  expect(liveTensors() - before).toBe(0);
});

test("a loss that is not finite stops the run with its batch on disk, before the weights change", async () => {
  const poisoned = path.join(folder, "poisoned");
  const model = loadModel(path.join(folder, "model"), { copy: true });
  noGrad(() => ops.fill_(model.parameters().get("model.norm.weight")!, Number.NaN));
  saveModel(model, poisoned, { companionsFrom: path.join(folder, "model") });
  const output = path.join(folder, "nan");
  await expect(sft(["--model_name_or_path", poisoned], output)).rejects.toThrow(
    /the loss of step 1 is NaN: stopped before the weights changed. The batch is in .*non-finite-step-1.jsonl/,
  );
  const rows = readFileSync(path.join(output, "non-finite-step-1.jsonl"), "utf8").trim().split("\n");
  expect(rows).toHaveLength(8);
  expect(JSON.parse(rows[0]!)).toMatchObject({ read: expect.stringMatching(/^\d+\+\d+=$/), ids: expect.any(Array) });
});

describe("mistakes are told before any training", () => {
  const cases: [string, string[], RegExp][] = [
    ["missing dataset", ["--dataset_name", "no/such.jsonl"], /no dataset .*no\/such.jsonl/],
    ["missing model", ["--model_name_or_path", "./no-model"], /no model folder .\/no-model/],
    ["missing column", ["--dataset_prompt_column", "frage"], /"frage"/],
    ["unwritable folder", ["--output_dir", "/proc/nope/run"], /\/proc\/nope/],
    ["the model's own folder", ["--output_dir", path.join(folder, "model")], /is the model's own folder/],
    ["missing template file", ["--chat_template_path", "no.jinja"], /chat_template_path no.jinja cannot be read/],
  ];
  test.each(cases)("%s", async (_name, more, message) => {
    await expect(sft(more)).rejects.toThrow(message);
  });

  test("a tokenizer that knows more tokens than the model", async () => {
    const other = temporaryFolder();
    tinyCheckpoint(other, { vocab_size: 40 });
    await expect(sft(["--model_name_or_path", path.join(other, "model")])).rejects.toThrow(/do not belong together/);
  });

  test("other data in a run that is resumed", async () => {
    const output = path.join(folder, "resumed");
    await sft(["--max_steps", "2"], output);
    const data = path.join(folder, "train.jsonl");
    const before = readFileSync(data);
    writeFileSync(data, `${before}{"prompt": "0+0=", "completion": "0"}\n`);
    await expect(sft(["--max_steps", "2"], output)).rejects.toThrow(/holds a run on other data/);
    writeFileSync(data, before);
    expect((await sft(["--max_steps", "2"], output)).outcome.finished).toBe(true);
    expect(existsSync(path.join(output, "model.safetensors"))).toBe(true);
  });
});
