import fs from "node:fs";
import path from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { UserError } from "../../src/errors.js";
import { CompletionsLog } from "../../src/run/completions.js";
import { MetricsLog, type MetricsRow, readMetrics, withoutTiming } from "../../src/run/metrics.js";
import { failDisk, temporaryFolder } from "./helpers.js";

afterEach(() => vi.restoreAllMocks());

const row = (step: number): MetricsRow => ({ step, reward: step / 3, "clip_ratio/region_mean": 0 });
const text = (...steps: number[]) => steps.map((step) => `${JSON.stringify(row(step))}\n`).join("");

function fileWith(content: string): string {
  const file = path.join(temporaryFolder(), "metrics.jsonl");
  fs.writeFileSync(file, content);
  return file;
}

test.each<[string, string, number | undefined, string]>([
  ["rows after the checkpoint are cut", text(1, 2, 3, 4), 2, text(1, 2)],
  ["a torn last line is cut", `${text(1, 2)}{"step":3,"re`, 3, text(1, 2)],
  ["a whole last row without its newline is torn, too", text(1, 2, 3).slice(0, -1), 3, text(1, 2)],
  ["zeros of a power cut are torn, too", `${text(1)}${"\0".repeat(9)}\n`, 3, text(1)],
  ["step 0 starts anew", text(1, 2), 0, ""],
  ["without a step all stays", text(1, 2), undefined, text(1, 2)],
  ["rows of the checkpoint's own step stay", text(1, 2, 2, 3), 2, text(1, 2, 2)],
])("%s", (_, content, resumeAtStep, kept) => {
  const file = fileWith(content);
  const log = MetricsLog.open(file, resumeAtStep === undefined ? {} : { resumeAtStep });
  log.append(row(9));
  log.close();
  expect(fs.readFileSync(file, "utf8")).toBe(kept + text(9));
  expect(fs.readdirSync(path.dirname(file))).toEqual(["metrics.jsonl"]);
});

test("a killed and resumed log equals an uninterrupted one", () => {
  const whole = path.join(temporaryFolder(), "deep", "metrics.jsonl");
  const log = MetricsLog.open(whole);
  for (let step = 1; step <= 6; step++) log.append(row(step));
  log.sync();
  log.close();
  const bytes = fs.readFileSync(whole);
  // A kill after any byte beyond the checkpoint of step 2.
  for (let length = text(1, 2).length; length <= bytes.length; length += 7) {
    const file = fileWith(bytes.toString().slice(0, length));
    const resumed = MetricsLog.open(file, { resumeAtStep: 2 });
    for (let step = 3; step <= 6; step++) resumed.append(row(step));
    resumed.close();
    expect(fs.readFileSync(file).equals(bytes)).toBe(true);
  }
});

test("a damaged row in the middle is named", () => {
  const file = fileWith(`${text(1)}{"step":\n${text(3)}`);
  expect(() => MetricsLog.open(file)).toThrow(/metrics\.jsonl, line 2, is no metrics row/);
  expect(() => MetricsLog.open(file)).toThrow(UserError);
});

test("a full disk is a clear error", () => {
  const log = MetricsLog.open(path.join(temporaryFolder(), "metrics.jsonl"));
  failDisk("writeSync", 0, "ENOSPC");
  expect(() => log.append(row(1))).toThrow(/cannot write .*metrics\.jsonl: the disk is full/);
  log.close();
});

test("rows are read back; timing can be left out of a comparison", () => {
  const timed = { ...row(1), step_time: 1.5, "time/sampling": 0.7, tokens_per_second: 900 };
  const file = fileWith(`${JSON.stringify(timed)}\n{"step":2`);
  expect(readMetrics(file)).toEqual([timed]);
  expect(withoutTiming(timed)).toEqual(row(1));
});

test("completions: a file per step; later steps and leftovers go on resume", () => {
  const run = temporaryFolder();
  const completion = (step: number) => ({
    step,
    prompt: "1+1?",
    completion: "<think>\n2\n</think>\n\\boxed{2}",
    rewards: { accuracy: 1, format: null },
    advantage: -0.25,
  });
  const log = CompletionsLog.open(run, { resumeAtStep: 0 });
  for (const step of [9, 12, 1234567]) log.write(step, [completion(step), completion(step)]);
  fs.writeFileSync(path.join(log.folder, ".tmp-step-000013.jsonl-1"), "");
  expect(fs.readFileSync(path.join(log.folder, "step-000012.jsonl"), "utf8").split("\n").slice(0, -1)).toEqual(
    Array(2).fill(JSON.stringify(completion(12))),
  );
  CompletionsLog.open(run, { resumeAtStep: 12 });
  expect(fs.readdirSync(log.folder).sort()).toEqual(["step-000009.jsonl", "step-000012.jsonl"]);
});

test("rows after the file's removal are not lost without a word", () => {
  const file = path.join(temporaryFolder(), "metrics.jsonl");
  const log = MetricsLog.open(file);
  log.append(row(1));
  fs.rmSync(path.dirname(file), { recursive: true });
  expect(() => log.append(row(2))).toThrow(
    /metrics\.jsonl was removed while the run was writing to it: run the same command/,
  );
  log.close();
});
