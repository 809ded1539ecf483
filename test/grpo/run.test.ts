import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { runGrpo } from "../../src/grpo/run.js";
import { loadModel } from "../../src/model/index.js";
import { saveModel } from "../../src/model/save.js";
import { loadGrpoRecipe } from "../../src/recipe/index.js";
import type { Functions } from "../../src/rewards/index.js";
import { latestCheckpoint } from "../../src/run/checkpoint.js";
import { LOCK_FILE } from "../../src/run/lock.js";
import { readMetrics } from "../../src/run/metrics.js";
import { liveTensors, noGrad, ops, scope } from "../../src/torch/index.js";
import { temporaryFolder, tinyCheckpoint, tinyDataset, tinyRecipe } from "../support/tiny-run.js";

const folder = temporaryFolder();
let outputs = 0;
const lines: string[] = [];

async function trainWith(
  more: readonly string[] = [],
  output = path.join(folder, `run-${outputs++}`),
  functions: Functions = {},
) {
  const { recipe } = loadGrpoRecipe(undefined, tinyRecipe(folder, output, ["--max_steps", "2", ...more]));
  const outcome = await runGrpo(recipe, (line) => lines.push(line), functions);
  return { outcome, output, rows: readMetrics(path.join(output, "metrics.jsonl")) };
}

beforeAll(() => {
  tinyCheckpoint(folder);
  tinyDataset(folder);
});

const TRL_METRICS = [
  "num_tokens",
  "epoch",
  "step_time",
  "loss",
  "learning_rate",
  "grad_norm",
  "entropy",
  "reward",
  "reward_std",
  "frac_reward_zero_std",
  "rewards/vowels/mean",
  "rewards/vowels/std",
  ...["mean", "min", "max"].flatMap((what) => [`completions/${what}_length`, `completions/${what}_terminated_length`]),
  "completions/clipped_ratio",
  ...["low_mean", "low_min", "high_mean", "high_max", "region_mean"].map((what) => `clip_ratio/${what}`),
  "sampling/sampling_logp_difference/mean",
  "sampling/sampling_logp_difference/max",
];

describe("a run leaves behind", () => {
  test("TRL's metrics, every step", async () => {
    const { rows, outcome } = await trainWith(["--beta", "0.04"]);
    expect(outcome).toMatchObject({ step: 2, finished: true });
    expect(rows.map((row) => row.step)).toEqual([1, 2]);
    for (const row of rows) expect(Object.keys(row)).toEqual(expect.arrayContaining([...TRL_METRICS, "kl"]));
    expect(rows[0]).toMatchObject({ learning_rate: 0, kl: 0, epoch: 2 / 12 });
    expect(Number(rows[0]?.["sampling/sampling_logp_difference/max"])).toBeLessThan(1e-4);
    const row = rows[1]!;
    expect(row.num_tokens).toBeGreaterThan(Number(rows[0]?.num_tokens));
    expect(row["completions/mean_length"]).toBeLessThanOrEqual(Number(row["completions/max_length"]));
  });

  test("every completion with its rewards and advantage", async () => {
    const { output, rows } = await trainWith();
    const file = path.join(output, "completions/step-000001.jsonl");
    const completions = readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(completions).toHaveLength(8);
    const rewards = completions.map((row) => row.rewards.vowels as number);
    for (const { completion, rewards: own } of completions)
      expect(own.vowels).toBe((completion.match(/[0-4]/g) ?? []).length / 10);
    expect(rows[0]?.reward).toBeCloseTo(rewards.reduce((a, b) => a + b, 0) / 8, 10);
    for (const group of [completions.slice(0, 4), completions.slice(4)]) {
      expect(group.reduce((sum, row) => sum + row.advantage, 0)).toBeCloseTo(0, 10);
    }
  });

  test("a model that loads, moved from where it began, and a checkpoint that resumes", async () => {
    const { output } = await trainWith();
    const before = loadModel(path.join(folder, "model"));
    const after = loadModel(output);
    const moved = scope(() =>
      [...after.parameters()].map(([name, weight]) =>
        weight
          .sub(before.parameters().get(name)!)
          .toArray()
          .some((d) => d !== 0),
      ),
    );
    expect(moved.every(Boolean)).toBe(true);
    for (const model of [before, after]) model.dispose();
    expect(latestCheckpoint(output, () => {})?.step).toBe(2);
    for (const file of ["tokenizer.json", "tokenizer_config.json", "config.json"])
      expect(existsSync(path.join(output, file))).toBe(true);
  });

  test("no tensors", async () => {
    await trainWith();
    const before = liveTensors();
    await trainWith(["--beta", "0.1", "--num_iterations", "2"]);
    expect(liveTensors() - before).toBe(0);
  });
});

test("training raises the reward", async () => {
  const { rows } = await trainWith([
    "--max_steps",
    "40",
    "--save_strategy",
    "no",
    "--lr_scheduler_type",
    "constant",
    "--learning_rate",
    "0.003",
  ]);
  const mean = (part: typeof rows) => part.reduce((sum, row) => sum + Number(row.reward), 0) / part.length;
  expect(mean(rows.slice(-8))).toBeGreaterThan(mean(rows.slice(0, 8)) + 0.1);
});

test.each([
  ["grpo", []],
  ["bnpo", ["--gradient_accumulation_steps", "2", "--per_device_train_batch_size", "4"]],
  ["dr_grpo", ["--scale_rewards", "none"]],
  ["dapo", ["--epsilon_high", "0.28", "--mask_truncated_completions", "true"]],
  ["cispo", ["--epsilon_high", "5", "--num_iterations", "2"]],
  [
    "grpo",
    ["--importance_sampling_level", "sequence", "--steps_per_generation", "2", "--per_device_train_batch_size", "4"],
  ],
  ["grpo", ["--vllm_importance_sampling_correction", "true", "--vllm_importance_sampling_mode", "token_truncate"]],
])("loss_type %s %j runs", async (loss, more) => {
  const { rows, outcome } = await trainWith(["--loss_type", loss, ...more, "--save_strategy", "no"]);
  expect(outcome.finished).toBe(true);
  for (const row of rows) expect(row.loss).toEqual(expect.any(Number));
});

test("dynamic sampling replaces groups whose rewards are equal, up to its limit, and counts them", async () => {
  const reward = path.join(folder, "first-rows.mjs");
  // Rows 0 to 9 teach nothing: every completion gets 1.
  writeFileSync(reward, "let n = 0;\nexport const some = ({ answer }) => (Number(answer) < 20 ? 1 : (n += 1) % 2);\n");
  const keys = ["--reward_funcs", reward, "--shuffle_dataset", "false", "--save_strategy", "no", "--max_steps", "1"];
  const plain = await trainWith(keys);
  expect(plain.rows[0]).toMatchObject({ frac_reward_zero_std: 1 });
  const dynamic = await trainWith([...keys, "--dynamic_sampling", "true", "--dynamic_sampling_max_rounds", "10"]);
  expect(dynamic.rows[0]).toMatchObject({
    frac_reward_zero_std: 0,
    "dynamic_sampling/rounds": 6,
    "dynamic_sampling/replaced_groups": 10,
  });
  const limited = await trainWith([...keys, "--dynamic_sampling", "true", "--dynamic_sampling_max_rounds", "3"]);
  expect(limited.rows[0]).toMatchObject({ frac_reward_zero_std: 1, "dynamic_sampling/rounds": 3 });
});

test("a loss that is not finite stops the run with its batch on disk and the last checkpoint intact", async () => {
  const output = path.join(folder, "nan");
  const poisoned = path.join(folder, "poisoned");
  const model = loadModel(path.join(folder, "model"), { copy: true });
  noGrad(() => ops.fill_(model.parameters().get("model.norm.weight")!, Number.NaN));
  saveModel(model, poisoned, { companionsFrom: path.join(folder, "model") });
  model.dispose();
  await expect(trainWith(["--model_name_or_path", poisoned], output)).rejects.toThrow(
    /the loss of step 1 is NaN: stopped before the weights changed. The batch is in .*non-finite-step-1.jsonl/,
  );
  const rows = readFileSync(path.join(output, "non-finite-step-1.jsonl"), "utf8").trim().split("\n");
  expect(rows).toHaveLength(8);
  expect(JSON.parse(rows[0]!)).toMatchObject({
    sampler_logps: expect.arrayContaining(["NaN"]),
    prompt: expect.stringContaining("What is"),
  });
  expect(readdirSync(output).some((name) => name.startsWith("checkpoint-"))).toBe(false);
});

describe("mistakes are told before any training", () => {
  const cases: [string, string[], RegExp][] = [
    ["missing dataset", ["--dataset_name", "no/such.jsonl"], /no dataset .*no\/such.jsonl/],
    ["missing model", ["--model_name_or_path", "./no-model"], /no-model/],
    ["missing column", ["--dataset_prompt_column", "frage"], /"frage"/],
    ["no gold answer", ["--reward_funcs", "accuracy", "--gold_column", "gold"], /has no gold answer in column "gold"/],
    ["unknown reward", ["--reward_funcs", "acuracy"], /no reward is named acuracy \(did you mean accuracy\?\)/],
    [
      "the model's own folder",
      ["--output_dir", path.join(folder, "model")],
      /is the model's own folder: choose another/,
    ],
    ["unwritable folder", ["--output_dir", "/proc/nope/run"], /\/proc\/nope/],
    [
      "too few rows",
      ["--max_steps", "-1", "--per_device_train_batch_size", "800"],
      /gives 12 prompts, one step needs 200/,
    ],
    ["no GPU", ["--device", "cuda"], /finds no GPU/],
  ];
  test.each(cases)("%s", async (_name, more, message) => {
    await expect(trainWith(more)).rejects.toThrow(message);
  });

  test("a model that lies in output_dir, and is not deleted", async () => {
    const { output } = await trainWith(["--save_steps", "2"]);
    const checkpoint = path.join(output, "checkpoint-2");
    const keys = ["--model_name_or_path", checkpoint, "--overwrite_output_dir", "true"];
    await expect(trainWith(keys, output)).rejects.toThrow(/checkpoint-2 lies in output_dir/);
    expect(existsSync(path.join(checkpoint, "model.safetensors"))).toBe(true);
  });

  test("a named checkpoint of another recipe, and is not deleted", async () => {
    const { output } = await trainWith(["--save_steps", "2"]);
    const checkpoint = path.join(output, "checkpoint-2");
    const keys = ["--resume_from_checkpoint", checkpoint, "--overwrite_output_dir", "true", "--learning_rate", "0.5"];
    await expect(trainWith(keys, output)).rejects.toThrow(/another recipe.*learning_rate was 0.01, is 0.5/);
    expect(existsSync(path.join(checkpoint, "model.safetensors"))).toBe(true);
  });

  test("a checkpoint without optimizer", async () => {
    const { output } = await trainWith(["--save_only_model", "true", "--save_steps", "1"]);
    await expect(trainWith(["--save_only_model", "true", "--save_steps", "1"], output)).rejects.toThrow(
      /checkpoint-2 holds no optimizer state \(save_only_model\).*--model_name_or_path/,
    );
  });

  test("a wrong dataset row, with its line", async () => {
    const file = path.join(folder, "broken.jsonl");
    writeFileSync(file, '{"problem": "1+1", "answer": "2"}\n{"problem": \n');
    await expect(trainWith(["--dataset_name", file])).rejects.toThrow(/broken.jsonl.*2/);
  });

  test("a tokenizer larger than the model's vocabulary", async () => {
    const small = temporaryFolder();
    tinyCheckpoint(small, { vocab_size: 40 });
    await expect(trainWith(["--model_name_or_path", path.join(small, "model")])).rejects.toThrow(
      /do not belong together/,
    );
  });

  test("a reward that throws names itself, the row and the completion", async () => {
    const reward = path.join(folder, "throws.mjs");
    writeFileSync(reward, 'export const mine = () => { throw new Error("broken on purpose"); };\n');
    await expect(trainWith(["--reward_funcs", reward])).rejects.toThrow(/mine.*row.*broken on purpose/s);
  });

  test("a damaged checkpoint, when it is the only one", async () => {
    const { output } = await trainWith(["--save_steps", "2"]);
    const weights = path.join(output, "checkpoint-2/model.safetensors");
    const bytes = readFileSync(weights);
    writeFileSync(weights, bytes.subarray(0, bytes.length - 100));
    await expect(trainWith(["--save_steps", "2"], output)).rejects.toThrow(/checkpoint-2 is damaged/);
  });
});

describe("a run whose folder another run took while it stood still", () => {
  const output = path.join(folder, "taken");
  const names = (place: string) => readdirSync(path.join(output, place)).sort();

  test("ends without writing a completion, a row or a model", async () => {
    let calls = 0;
    // 8 completions a step: the third step is about to write.
    const slow = ({ completion }: { completion: string }) => {
      if (++calls === 17) writeFileSync(path.join(output, LOCK_FILE), JSON.stringify({ pid: 1, host: "elsewhere" }));
      return completion.length;
    };
    const run = trainWith(["--reward_funcs", "fn:slow", "--max_steps", "4", "--save_steps", "1"], output, { slow });
    await expect(run).rejects.toThrow(/taken was taken over by another run/);
    expect(readMetrics(path.join(output, "metrics.jsonl")).map(({ step }) => step)).toEqual([1, 2]);
    expect(names("completions")).toEqual(["step-000001.jsonl", "step-000002.jsonl"]);
    expect(names(".").filter((name) => /^checkpoint|safetensors$/.test(name))).toEqual([
      "checkpoint-1",
      "checkpoint-2",
    ]);
  });

  test("leaves it to the other one", async () => {
    expect(readFileSync(path.join(output, LOCK_FILE), "utf8")).toContain("elsewhere");
  });
});

test("what rewards keep running ends also where a run does not begin", async () => {
  const own = temporaryFolder();
  tinyCheckpoint(own);
  const { recipe } = loadGrpoRecipe(
    undefined,
    tinyRecipe(own, path.join(own, "run"), ["--dataset_name", "/nowhere.jsonl"]),
  );
  const log = path.join(own, "log");
  writeFileSync(
    path.join(own, "reward.mjs"),
    `import fs from "node:fs";
    export const one = () => 1;
    setInterval(() => fs.appendFileSync(${JSON.stringify(log)}, "alive "), 20);`,
  );
  writeFileSync(log, "");
  await expect(runGrpo(recipe, () => {})).rejects.toThrow(/nowhere/);
  const last = readFileSync(log, "utf8");
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(readFileSync(log, "utf8")).toBe(last);
});
