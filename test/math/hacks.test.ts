/** No completion that is built to be taken for the answer earns the reward, and none makes the grader stumble. */
import { describe, expect, test } from "vitest";
import { explain } from "../../src/math/index.js";
import { hacks } from "./hacks.js";

test("there are at least 300, each once", () => {
  const rows = Object.values(hacks).flatMap((table) => table.map((row) => row.join(" :: ")));
  expect(rows.length).toBeGreaterThanOrEqual(300);
  expect(new Set(rows).size).toBe(rows.length);
});

test("under evaluation only answers that lack nothing but the box are accepted", () => {
  const rows = Object.values(hacks).flat();
  const accepted = rows.filter(([gold, completion]) => explain(gold, completion, "evaluation").correct);
  expect(accepted.map(([, completion]) => completion)).toEqual([
    "The answer is 5.",
    "5",
    "$5$",
    "The final answer is \\boxed{5",
    "\\boxed5",
    "\\fbox{5}",
  ]);
});

describe.each(Object.entries(hacks))("%s", (_, rows) => {
  test.each(rows)("%s :: %s", (gold, completion) => {
    const { correct, rule } = explain(gold, completion);
    expect(correct).toBe(false);
    expect(rule).not.toMatch(/internal/);
  });
});
