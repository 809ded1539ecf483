import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../files/atomic.js";
import { generateCorpus } from "./corpus.js";
import { generateProblems, type Problem } from "./problems.js";

/** How many held-out problems an accuracy is measured on. */
export const TEST_PROBLEMS = 500;

/** The held-out problems: the same in every run, so that accuracies compare. */
export function testProblems(): Problem[] {
  return generateProblems({ split: "test", seed: 0, count: TEST_PROBLEMS });
}

/** Writes the problems that GRPO trains on as `folder`/train.jsonl (columns problem, solution, level, kind) and returns the path. */
export function writeTrainProblems(folder: string, { seed, count }: { seed: number; count: number }): string {
  const problems = generateProblems({ split: "train", seed, count });
  return writeRows(
    join(folder, "train.jsonl"),
    problems.map(({ problem, solution, level, kind }) => ({ problem, solution, level, kind })),
  );
}

/** Writes the warm-up corpus as `folder`/corpus.jsonl (columns problem, completion, style, level) and returns the path. */
export function writeCorpus(folder: string, { seed, count }: { seed: number; count: number }): string {
  return writeRows(join(folder, "corpus.jsonl"), generateCorpus({ seed, count }));
}

function writeRows(path: string, rows: readonly object[]): string {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileAtomic(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return path;
}
