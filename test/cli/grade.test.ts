import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import register from "../../src/cli/grade.js";
import { UserError } from "../../src/errors.js";

let folder: string;
let out: string[];
let err: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "grade-"));
  out = [];
  err = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void out.push(line));
  vi.spyOn(console, "error").mockImplementation((line: string) => void err.push(line));
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

function run(...args: string[]): void {
  const program = new Command().exitOverride();
  register(program);
  program.parse(["node", "open-rs", "grade", ...args]);
}

function rows(...lines: unknown[]): string {
  const file = join(folder, "rows.jsonl");
  writeFileSync(file, lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"));
  return file;
}

test("writes each row with its verdict, keeping its columns", () => {
  run(rows({ id: 3, gold: "1/2", prediction: "\\boxed{0.5}" }, { id: 4, gold: "2", prediction: "\\boxed{3}" }));
  expect(out.map((line) => JSON.parse(line))).toMatchObject([
    { id: 3, gold: "1/2", correct: true, verdict: "equal" },
    { id: 4, correct: false, verdict: "different", rule: "exact number" },
  ]);
  expect(err).toEqual(["1 of 2 correct, 0 undecided"]);
});

test("the preset says where answers may stand", () => {
  const file = rows({ gold: "5", prediction: "So it is $5$." });
  run(file);
  run("--preset", "evaluation", file);
  expect(out.map((line) => JSON.parse(line).correct)).toEqual([false, true]);
});

test("a row with options of its own is judged under evaluation, and that is said; a column of text is only data", () => {
  const row = { gold: "5", prediction: "So it is $5$." };
  run(rows({ ...row, config: { preset: "mv-test" } }, { ...row, config: "main" }));
  expect(out.map((line) => JSON.parse(line).correct)).toEqual([true, false]);
  expect(err[0]).toContain("1 rows have options of their own (config): judged with preset evaluation");
});

test("with expected, agreement by type and the disagreements go to stderr", () => {
  run(
    rows(
      { gold: "1", prediction: "\\boxed{1}", expected: true, type: "integer" },
      { gold: "2", prediction: "\\boxed{3}", expected: true, type: "integer" },
      { gold: "x", prediction: "\\boxed{x}", expected: true, type: "letter" },
    ),
  );
  const text = err.join("\n");
  expect(text).toMatch(/integer\s+│ 2\s+│ 1\s+│ 50\.00/);
  expect(text).toMatch(/letter\s+│ 1\s+│ 1\s+│ 100\.00/);
  expect(text).toMatch(/all\s+│ 3\s+│ 2\s+│ 66\.67/);
  expect(text).toMatch(/integer\s+│ 2\s+│ 3\s+│ true\s+│ exact number/);
});

test("--explain judges one pair", () => {
  run("--explain", "1/2", "so \\boxed{\\frac{1}{2}}");
  expect(JSON.parse(out.join(""))).toMatchObject({ correct: true, extracted: { text: "\\frac{1}{2}", how: "box" } });
});

test.each([
  [["--explain", "1/2"], /--explain takes a gold and a prediction, got 1/],
  [["missing.jsonl"], /no file missing\.jsonl/],
  [[], /needs a FILE/],
])("%j is a user error", (args, message) => {
  expect(() => run(...args)).toThrow(UserError);
  expect(() => run(...args)).toThrow(message);
});

test.each([
  ["{", /rows\.jsonl line 2 is not JSON/],
  [{ gold: 3, prediction: "3" }, /line 2 has no text in column gold/],
  [{ gold: "3" }, /line 2 has no text in column prediction/],
])("a bad row %j is named by its line", (row, message) => {
  const file = rows({ gold: "1", prediction: "1" }, row);
  expect(() => run(file)).toThrow(message);
});
