/** Evaluation between training steps: when, on what, and that training does not notice it. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, expect, test, vi } from "vitest";
import { evaluate } from "../../src/grpo/evaluate.js";
import { runGrpo } from "../../src/grpo/run.js";
import { loadGrpoRecipe } from "../../src/recipe/index.js";
import { readMetrics, withoutTiming } from "../../src/run/metrics.js";
import { temporaryFolder, tinyCheckpoint, tinyDataset, tinyRecipe } from "../support/tiny-run.js";

const folder = temporaryFolder();
const data = path.join(folder, "data");
let outputs = 0;

async function trainWith(more: readonly string[], output = path.join(folder, `run-${outputs++}`)) {
  const keys = tinyRecipe(folder, output, ["--dataset_name", data, "--save_strategy", "no", ...more]);
  const outcome = await runGrpo(loadGrpoRecipe(undefined, keys).recipe, () => {});
  const rows = readMetrics(path.join(output, "metrics.jsonl"));
  const isEvaluation = (row: object) => "eval_reward" in row;
  return { outcome, output, evaluations: rows.filter(isEvaluation), steps: rows.filter((row) => !isEvaluation(row)) };
}

beforeAll(() => {
  tinyCheckpoint(folder);
  mkdirSync(data);
  writeFileSync(path.join(data, "train.jsonl"), readFileSync(tinyDataset(folder), "utf8"));
  const held = [20, 30, 40].map((n) => JSON.stringify({ problem: `What is ${n}+1?`, answer: String(n + 1) }));
  writeFileSync(path.join(data, "test.jsonl"), `${held.join("\n")}\n`);
});

test("every eval_steps, at the start and at the end: TRL's metrics with eval_, and every completion in a file", async () => {
  const { evaluations, output } = await trainWith([
    ...["--eval_strategy", "steps", "--eval_steps", "4", "--eval_on_start", "--num_generations_eval", "2"],
  ]);
  expect(evaluations.map((row) => row.step)).toEqual([0, 4, 6]);
  const file = path.join(output, "evaluation/completions/step-000004.jsonl");
  const completions = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(completions.map((row) => row.row)).toEqual([0, 0, 1, 1, 2, 2]);
  const rewards = completions.map((row) => row.rewards.vowels as number);
  const lengths = completions.map((row) => row.tokens as number);
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const row = evaluations[1]!;
  expect(row["eval_rewards/vowels/mean"]).toBeCloseTo(mean(rewards), 12);
  expect(row.eval_reward).toBeCloseTo(mean(rewards), 12);
  expect(row["eval_completions/mean_length"]).toBeCloseTo(mean(lengths), 12);
  expect(row["eval_completions/max_length"]).toBe(Math.max(...lengths));
  expect(Object.keys(row)).toEqual(
    expect.arrayContaining(["eval_reward_std", "eval_frac_reward_zero_std", "eval_completions/clipped_ratio"]),
  );
});

test("shares of the run say when to evaluate, log and save", async () => {
  const { evaluations, steps, output } = await trainWith([
    ...["--max_steps", "5", "--eval_strategy", "steps", "--eval_steps", "0.5", "--logging_steps", "0.4"],
    ...["--save_strategy", "steps", "--save_steps", "0.7", "--max_completion_length", "3"],
  ]);
  expect(evaluations.map((row) => row.step)).toEqual([3, 5]);
  expect(steps.map((row) => row.step)).toEqual([2, 4, 5]);
  const checkpoints = readdirSync(output).filter((name) => name.startsWith("checkpoint-"));
  expect(checkpoints.sort()).toEqual(["checkpoint-4", "checkpoint-5"]);
});

test("a learning rate that follows the evaluations falls where their metric does not rise", async () => {
  const { steps, output } = await trainWith([
    ...["--eval_strategy", "steps", "--eval_steps", "1", "--max_completion_length", "3"],
    ...["--lr_scheduler_type", "reduce_lr_on_plateau", "--lr_scheduler_kwargs.patience", "1", "--warmup_steps", "0"],
    ...["--learning_rate", "1e-12", "--lr_scheduler_kwargs.eps", "0", "--lr_scheduler_kwargs.factor", "0.5"],
    ...["--save_strategy", "steps", "--save_steps", "6"],
  ]);
  // The weights stand still: the first evaluation is the best, the second tolerated, the third is one too many.
  expect(steps.map((row) => row.learning_rate)).toEqual([1, 1, 1, 0.5, 0.5, 0.25].map((share) => share * 1e-12));
  expect(readdirSync(path.join(output, "checkpoint-6"))).toContain("scheduler.json");
});

test("metric_for_best_model must be one of the evaluation's", async () => {
  const run = trainWith([
    ...["--eval_strategy", "steps", "--lr_scheduler_type", "greedy", "--metric_for_best_model", "loss"],
  ]);
  await expect(run).rejects.toThrow(/metric_for_best_model loss is not among .* choose one of .*eval_reward/);
});

test("after every epoch, once its last prompts have been learnt from", async () => {
  // 12 prompts, 2 per sampling, 2 updates each: 12 steps an epoch.
  const { evaluations } = await trainWith([
    ...["--eval_strategy", "epoch", "--num_iterations", "2", "--max_steps", "25", "--max_completion_length", "3"],
  ]);
  // And at the end, as transformers does, though the third epoch has only begun.
  expect(evaluations.map((row) => row.step)).toEqual([12, 24, 25]);
});

test("an epoch whose last rows make no whole step still ends in an evaluation", async () => {
  const { evaluations } = await trainWith([
    ...["--eval_strategy", "epoch", "--max_steps", "-1", "--num_train_epochs", "1", "--max_completion_length", "3"],
    ...["--per_device_train_batch_size", "20"],
  ]);
  expect(evaluations.map((row) => row.step)).toEqual([2]);
});

test("training does not notice it", async () => {
  const plain = await trainWith([]);
  const watched = await trainWith(["--eval_strategy", "steps", "--eval_steps", "1", "--eval_on_start"]);
  expect(watched.evaluations).toHaveLength(7);
  expect(watched.steps.map(withoutTiming)).toEqual(plain.steps.map(withoutTiming));
});

vi.mock("../../src/grpo/evaluate.js", { spy: true });

test("Ctrl-C in an evaluation: the resumed run makes it, and ends as one never stopped", async () => {
  const more = ["--eval_strategy", "steps", "--eval_steps", "2", "--save_strategy", "steps", "--save_steps", "5"];
  const whole = await trainWith(more);
  vi.mocked(evaluate).mockImplementationOnce((context, ...rest) => {
    process.emit("SIGINT");
    return evaluate(context, ...rest);
  });
  const output = path.join(folder, "stopped");
  const stopped = await trainWith(more, output);
  expect(stopped.outcome).toMatchObject({ step: 2, finished: false });
  expect(stopped.evaluations).toEqual([]);
  const resumed = await trainWith(more, output);
  expect(resumed.outcome).toMatchObject({ step: 6, finished: true });
  expect(resumed.evaluations.map(withoutTiming)).toEqual(whole.evaluations.map(withoutTiming));
  expect(resumed.steps.map(withoutTiming)).toEqual(whole.steps.map(withoutTiming));
  const model = (run: { output: string }) => readFileSync(path.join(run.output, "model.safetensors"));
  expect(model(resumed).equals(model(whole))).toBe(true);
});

test("a crash in an evaluation: the rows after the last checkpoint are made again, none twice", async () => {
  const more = ["--eval_strategy", "steps", "--eval_steps", "2", "--save_strategy", "steps", "--save_steps", "3"];
  const whole = await trainWith([...more, "--eval_on_start"]);
  const output = path.join(folder, "crashed");
  const real = await vi.importActual<typeof import("../../src/grpo/evaluate.js")>("../../src/grpo/evaluate.js");
  // The evaluation after step 4: the third, with that before training.
  vi.mocked(evaluate)
    .mockImplementationOnce(real.evaluate)
    .mockImplementationOnce(real.evaluate)
    .mockRejectedValueOnce(new Error("power cut"));
  await expect(trainWith([...more, "--eval_on_start"], output)).rejects.toThrow("power cut");
  const resumed = await trainWith([...more, "--eval_on_start"], output);
  expect(resumed.evaluations.map(withoutTiming)).toEqual(whole.evaluations.map(withoutTiming));
  expect(resumed.steps.map(withoutTiming)).toEqual(whole.steps.map(withoutTiming));
});

test("save_strategy epoch: a checkpoint after every epoch and at the end", async () => {
  const { output } = await trainWith(["--save_strategy", "epoch", "--max_steps", "8"]);
  expect(
    readdirSync(output)
      .filter((name) => name.startsWith("checkpoint-"))
      .sort(),
  ).toEqual(["checkpoint-6", "checkpoint-8"]);
});

test("one file has no test split: an error before training, unless both splits are meant to be it", async () => {
  const file = path.join(data, "train.jsonl");
  await expect(trainWith(["--dataset_name", file, "--eval_strategy", "epoch"])).rejects.toThrow(
    /eval_strategy needs the split test, and .*train\.jsonl is one file without splits: put .* into a folder/,
  );
  const { evaluations } = await trainWith([
    ...["--dataset_name", file, "--dataset_test_split", "train", "--eval_on_start", "--max_steps", "1"],
  ]);
  expect(evaluations.map((row) => row.step)).toEqual([0]);
});
