/**
 * However long or deep an input is, the work for it is bounded: by steps that are counted, so that a verdict does not
 * depend on the machine. bench/grade.ts prints the times (below 50 ms each); here is only a guard against a hang.
 */
import { describe, expect, test } from "vitest";
import { nasty } from "../../bench/nasty.js";
import { defaultLimits, explain } from "../../src/math/index.js";

test("there are at least 1,200, each once", () => {
  expect(new Set(nasty.map(({ name }) => name)).size).toBe(nasty.length);
  expect(nasty.length).toBeGreaterThanOrEqual(1_200);
});

test("no input takes more steps than the limit, long, or makes the grader stumble", () => {
  const slow: string[] = [];
  for (const { name, gold, prediction, preset } of nasty) {
    const start = performance.now();
    const { steps, rule } = explain(gold, prediction, preset);
    if (performance.now() - start > 2_000) slow.push(name);
    expect(steps, name).toBeLessThanOrEqual(defaultLimits.steps);
    expect(rule, name).not.toMatch(/internal/);
  }
  // A busy machine may stop a call for a while, but not many.
  expect(slow.length, slow.join("\n")).toBeLessThan(5);
}, 120_000);

describe("past a limit", () => {
  const long = "1+".repeat(2_000);

  test("the verdict is undecided, and says which limit", () => {
    expect(explain("7", `\\boxed{${long}1}`)).toMatchObject({
      verdict: "undecided",
      rule: "answer passes the limit on length",
    });
    expect(explain("\\sum_{k=1}^{300}(\\sum_{j=1}^{300} \\frac{k}{j})", "\\boxed{1}")).toMatchObject({
      verdict: "undecided",
      rule: "answer passes the limit on steps",
      steps: defaultLimits.steps,
    });
  });

  test("the same text is equal all the same", () => {
    expect(explain(`${long}1`, `\\boxed{${long}1}`)).toMatchObject({ verdict: "equal", rule: "same text" });
  });

  test("of a long completion the end counts", () => {
    const filler = "so we compute it again. ".repeat(20_000);
    expect(explain("7", `\\boxed{8} ${filler}\\boxed{7}`).correct).toBe(true);
    expect(explain("7", `\\boxed{7} ${filler}`).rule).toBe("no answer found");
  });
});
