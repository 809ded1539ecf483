// A run that is killed and started again by the same command ends with the same bits as one that never was.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { latestCheckpoint } from "../../src/run/checkpoint.js";
import { readMetrics, withoutTiming } from "../../src/run/metrics.js";
import { temporaryFolder, tinyCheckpoint, tinyDataset, tinyRecipe } from "../support/tiny-run.js";

const CHILD = fileURLToPath(new URL("../support/train-child.ts", import.meta.url));
const folder = temporaryFolder();

interface When {
  fsync?: number;
  ms?: number;
  sigintAfterRow?: number;
}

function run(output: string, when: When = {}, more: readonly string[] = []) {
  const keys = tinyRecipe(folder, output, more);
  const child = spawnSync(process.execPath, ["--import", "tsx", CHILD, JSON.stringify(when), ...keys], {
    encoding: "utf8",
  });
  return {
    ...child,
    outcome: child.stdout === "" ? null : (JSON.parse(child.stdout) as { step: number; finished: boolean }),
  };
}

/** What must be equal: weights, optimizer, the last trainer state, metrics but for timing, every completion. */
function result(output: string, step: number) {
  const bytes = (file: string) => readFileSync(path.join(output, file)).toString("base64");
  const state = JSON.parse(readFileSync(path.join(output, `checkpoint-${step}/trainer_state.json`), "utf8"));
  const { unlogged: _, recipe: __, ...comparable } = state.state;
  const checkpoint = path.join(output, `checkpoint-${step}`);
  const more = readdirSync(checkpoint).filter((file) => ["reference.safetensors", "scheduler.json"].includes(file));
  return {
    more: more.map((file) => [file, bytes(`checkpoint-${step}/${file}`)]),
    model: bytes("model.safetensors"),
    optimizer: bytes(`checkpoint-${step}/optimizer.safetensors`),
    state: comparable,
    metrics: readMetrics(path.join(output, "metrics.jsonl")).map(withoutTiming),
    completions: readdirSync(path.join(output, "completions")).map((file) => [file, bytes(`completions/${file}`)]),
  };
}

/** The same command again, to the end. */
function finish(output: string, more: readonly string[] = []): void {
  const { outcome, stderr } = run(output, {}, more);
  expect(outcome?.finished, stderr).toBe(true);
}

beforeAll(() => {
  tinyCheckpoint(folder);
  tinyDataset(folder);
});

describe("killed and resumed, bit for bit", () => {
  const whole = path.join(folder, "whole");
  beforeAll(() => {
    finish(whole);
  });

  // These fsync calls fall into different saves, at different places.
  test.each([9, 25, 33])("kill -9 at the %ith fsync, in the middle of a save", (fsync) => {
    const output = path.join(folder, `fsync-${fsync}`);
    const killed = run(output, { fsync });
    expect(killed.signal).toBe("SIGKILL");
    finish(output);
    expect(result(output, 6)).toEqual(result(whole, 6));
  });

  test.each([1, 2])("kill -9 at a random moment (%i)", (nth) => {
    const output = path.join(folder, `random-${nth}`);
    const ms = 200 + Math.floor(Math.random() * 800);
    const killed = run(output, { ms });
    expect(killed.signal === "SIGKILL" || killed.outcome?.finished, `after ${ms} ms: ${killed.stderr}`).toBe(true);
    if (existsSync(output)) expect(() => latestCheckpoint(output, () => {})).not.toThrow();
    finish(output);
    expect(result(output, 6), `killed after ${ms} ms`).toEqual(result(whole, 6));
  });

  test("Ctrl-C saves, says how to go on, and loses nothing", () => {
    const output = path.join(folder, "sigint");
    const stopped = run(output, { sigintAfterRow: 3 });
    expect(stopped.stderr).toMatch(/SIGINT: finishing this step, then saving/);
    expect(stopped.outcome?.finished).toBe(false);
    finish(output);
    expect(result(output, 6)).toEqual(result(whole, 6));
  });
});

test("several updates per sampling: a checkpoint between them keeps what is still to be learnt from", () => {
  const more = ["--num_iterations", "3", "--beta", "0.04", "--save_steps", "1", "--logging_steps", "4"];
  const [whole, stopped] = [path.join(folder, "mu-whole"), path.join(folder, "mu-stopped")];
  finish(whole, more);
  // Between the updates of a sampling: one is made every three steps, a checkpoint every step.
  expect(run(stopped, { fsync: 40 }, more).signal).toBe("SIGKILL");
  expect(readdirSync(stopped).some((name) => /^checkpoint-[1245]$/.test(name))).toBe(true);
  finish(stopped, more);
  expect(result(stopped, 6)).toEqual(result(whole, 6));
});

test("a finished run goes on when it is given more steps, other threads, and its reward file from elsewhere", () => {
  const output = path.join(folder, "extended");
  finish(output, ["--max_steps", "4"]);
  const moved = path.join(temporaryFolder(), "reward.mjs");
  copyFileSync(path.join(folder, "reward.mjs"), moved);
  const { outcome, stderr } = run(output, {}, ["--max_steps", "5", "--threads", "2", "--reward_funcs", moved]);
  expect(outcome, stderr).toMatchObject({ step: 5, finished: true });
  expect(stderr.match(/from here on not bit for bit.*/g)).toEqual([
    expect.stringMatching(/max_steps was 4, is 5 \(.*\); threads was 1, is 2 \(.*\)|threads.*; max_steps/),
  ]);
  expect(readMetrics(path.join(output, "metrics.jsonl")).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
  // Fewer steps than are done: nothing is left to do.
  expect(run(output, {}, ["--max_steps", "3", "--threads", "2"]).outcome).toMatchObject({ step: 5, finished: true });
});

test("a reference that follows, a learning rate that follows the evaluations, terms of entropy: with their state", () => {
  const data = path.join(folder, "splits");
  mkdirSync(data, { recursive: true });
  for (const split of ["train", "test"])
    copyFileSync(path.join(folder, "train.jsonl"), path.join(data, `${split}.jsonl`));
  const more = [
    ...["--dataset_name", data, "--eval_strategy", "steps", "--eval_steps", "1", "--num_generations_eval", "1"],
    ...["--lr_scheduler_type", "reduce_lr_on_plateau", "--lr_scheduler_kwargs.patience", "0", "--warmup_steps", "0"],
    ...["--beta", "0.1", "--sync_ref_model", "true", "--ref_model_sync_steps", "2", "--loss_type", "sapo"],
    ...[
      "--entropy_coef",
      "0.01",
      "--top_entropy_quantile",
      "0.5",
      "--multi_objective_aggregation",
      "normalize_then_sum",
    ],
    ...["--save_steps", "1"],
  ];
  const [whole, stopped] = [path.join(folder, "state-whole"), path.join(folder, "state-stopped")];
  finish(whole, more);
  expect(run(stopped, { fsync: 85 }, more).signal).toBe("SIGKILL");
  expect(readdirSync(stopped).some((name) => /^checkpoint-[2345]$/.test(name))).toBe(true);
  finish(stopped, more);
  expect(result(whole, 6).more.map(([file]) => file)).toEqual(["reference.safetensors", "scheduler.json"]);
  expect(result(stopped, 6)).toEqual(result(whole, 6));
});

test("another recipe in the same folder is refused, and replaces it only when told to", () => {
  const output = path.join(folder, "other");
  finish(output);
  const refused = run(output, {}, ["--temperature", "0.5"]);
  expect(refused.outcome).toBeNull();
  expect(refused.stderr, refused.stdout).toMatch(/holds a run of another recipe \(temperature was 1, is 0.5\)/);
  const replaced = run(output, {}, ["--temperature", "0.5", "--overwrite_output_dir", "true", "--max_steps", "2"]);
  expect(replaced.outcome).toMatchObject({ step: 2, finished: true });
  expect(readdirSync(output).filter((name) => name.startsWith("checkpoint-"))).toEqual(["checkpoint-2"]);
});
