// A run that is killed and started again by the same command ends with the same bits as one that never was.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { latestCheckpoint } from "../../src/run/checkpoint.js";
import { readMetrics, withoutTiming } from "../../src/run/metrics.js";
import { temporaryFolder, tinyCheckpoint } from "../support/tiny-run.js";
import { additions, sftKeys } from "./additions.js";

const CHILD = fileURLToPath(new URL("../support/train-child.ts", import.meta.url));
const folder = temporaryFolder();
const whole = path.join(folder, "whole");
// Rows of three steps: a checkpoint falls between two of them.
const KEYS = ["--logging_steps", "3", "--packing", "true", "--max_length", "48", "--per_device_train_batch_size", "2"];

interface When {
  fsync?: number;
  ms?: number;
  sigintAfterRow?: number;
}

function run(output: string, when: When = {}, more: readonly string[] = []) {
  const keys = sftKeys(folder, output, [...KEYS, ...more]);
  const words = ["--import", "tsx", CHILD, JSON.stringify({ ...when, sft: true }), ...keys];
  const child = spawnSync(process.execPath, words, { encoding: "utf8" });
  const outcome = child.stdout === "" ? null : (JSON.parse(child.stdout) as { step: number; finished: boolean });
  return { ...child, outcome };
}

function finish(output: string): void {
  const { outcome, stderr } = run(output);
  expect(outcome?.finished, stderr).toBe(true);
}

/** What must be equal: weights, optimizer, metrics but for timing. */
function result(output: string) {
  const bytes = (file: string) => readFileSync(path.join(output, file)).toString("base64");
  return {
    model: bytes("model.safetensors"),
    saved: bytes("checkpoint-6/model.safetensors"),
    optimizer: bytes("checkpoint-6/optimizer.safetensors"),
    metrics: readMetrics(path.join(output, "metrics.jsonl")).map(withoutTiming),
  };
}

beforeAll(() => {
  tinyCheckpoint(folder, { torch_dtype: "bfloat16" });
  additions(folder);
  finish(whole);
});

describe("killed and resumed, bit for bit", () => {
  test.each([3, 14, 22])("kill -9 at the %ith fsync, in the middle of a save", (fsync) => {
    const output = path.join(folder, `fsync-${fsync}`);
    expect(run(output, { fsync }).signal).toBe("SIGKILL");
    finish(output);
    expect(result(output)).toEqual(result(whole));
  });

  test("kill -9 at a random moment", () => {
    const output = path.join(folder, "random");
    const ms = Math.floor(Math.random() * 600);
    const killed = run(output, { ms });
    expect(killed.signal === "SIGKILL" || killed.outcome?.finished, `after ${ms} ms: ${killed.stderr}`).toBe(true);
    if (existsSync(output)) expect(() => latestCheckpoint(output, () => {})).not.toThrow();
    finish(output);
    expect(result(output), `killed after ${ms} ms`).toEqual(result(whole));
  });

  test("Ctrl-C saves, says how to go on, and loses nothing", () => {
    const output = path.join(folder, "sigint");
    const stopped = run(output, { sigintAfterRow: 1 });
    expect(stopped.stderr).toMatch(/SIGINT: finishing this step, then saving/);
    expect(stopped.outcome?.finished).toBe(false);
    expect(readdirSync(output)).toContain(`checkpoint-${stopped.outcome?.step}`);
    finish(output);
    expect(result(output)).toEqual(result(whole));
  });
});

test("another recipe in the same folder is refused", () => {
  const refused = run(whole, {}, ["--learning_rate", "0.5"]);
  expect(refused.outcome).toBeNull();
  expect(refused.stderr).toMatch(/holds a run of another recipe \(learning_rate was 0.003, is 0.5\)/);
});
