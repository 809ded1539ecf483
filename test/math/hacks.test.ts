/** No completion that is built to be taken for the answer earns the reward, and none makes the grader stumble. */
import { describe, expect, test } from "vitest";
import { explain } from "../../src/math/index.js";
import { hacks } from "./hacks.js";

test("there are at least 300, each once", () => {
  const rows = Object.values(hacks).flatMap((table) => table.map((row) => row.join(" :: ")));
  expect(rows.length).toBeGreaterThanOrEqual(300);
  expect(new Set(rows).size).toBe(rows.length);
});

describe.each(Object.entries(hacks))("%s", (_, rows) => {
  test.each(rows)("%s :: %s", (gold, completion) => {
    const { correct, rule } = explain(gold, completion);
    expect(correct).toBe(false);
    expect(rule).not.toMatch(/internal/);
  });
});
