import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  drawProblem,
  generateProblems,
  LEVELS,
  type Problem,
  solve,
  splitOf,
  type Term,
} from "../../src/demo/problems.js";
import { seededRandom } from "../../src/demo/random.js";
import { UserError } from "../../src/errors.js";

const number = (value: number, sign: 1 | -1 = 1): Term => ({ sign, factors: [value] });

/** Reads the sum back out of the question alone and lets JavaScript compute it. */
function computedFromText(problem: string): number {
  const sum = problem
    .replace(/^What is |\?$/g, "")
    .replace(/^\w+ has /, "")
    .replace(/ (coins|cards|shells|beads)/, "")
    .replace(/\. How many.*$/, "")
    .replace(/, (finds|buys|wins) /g, "+")
    .replace(/, (loses|sells|gives) /g, "-")
    .replace(/ bags of /g, "*");
  expect(sum).toMatch(/^[\d+*-]+$/);
  return Function(`return ${sum}`)() as number;
}

describe("problems", () => {
  const problems = generateProblems({ split: "train", seed: 7, count: 1200 });

  it("has the answer that JavaScript computes from the question", () => {
    for (const { problem, solution } of problems) expect(Number(solution), problem).toBe(computedFromText(problem));
  });

  it("has one true equation per operation, in 0…99, the last of which is the answer", () => {
    for (const { level, problem, steps, solution } of problems) {
      expect(steps.length, problem).toBe(level);
      for (const step of steps) {
        const [left, right] = step.split("=") as [string, string];
        expect(Function(`return ${left}`)(), step).toBe(Number(right));
        expect(Number(right)).toBeGreaterThanOrEqual(0);
        expect(Number(right)).toBeLessThanOrEqual(99);
      }
      expect(steps.at(-1)?.split("=")[1]).toBe(solution);
    }
  });

  it("gives each level the same share, and both kinds", () => {
    for (const level of LEVELS) expect(problems.filter((p) => p.level === level)).toHaveLength(200);
    const stories = problems.filter((p) => p.kind === "story").length;
    expect(stories / problems.length).toBeGreaterThan(0.25);
    expect(stories / problems.length).toBeLessThan(0.35);
  });

  it.each([
    [[number(12), { sign: 1, factors: [3, 7] }, number(4, -1)] as Term[], ["3*7=21", "12+21=33", "33-4=29"]],
    [[{ sign: 1, factors: [3, 7] }, number(4, -1)] as Term[], ["3*7=21", "21-4=17"]],
    [[{ sign: 1, factors: [8, 9] }] as Term[], ["8*9=72"]],
    [[number(40), { sign: -1, factors: [5, 6] }, number(9)] as Term[], ["5*6=30", "40-30=10", "10+9=19"]],
  ])("works %j out", (terms, steps) => {
    expect(solve(terms).steps).toEqual(steps);
  });
});

describe("held-out split", () => {
  const key = ({ terms }: Problem): string =>
    JSON.stringify(
      terms
        .map((t) => [t.sign, [...t.factors].sort()])
        .map(String)
        .sort(),
    );

  it("shares no sum with training, whatever the seeds, order or wording", () => {
    const test = new Set(generateProblems({ split: "test", seed: 0, count: 500 }).map(key));
    const questions = new Set(generateProblems({ split: "test", seed: 0, count: 500 }).map((p) => p.problem));
    expect(questions.size).toBe(500);
    for (const seed of [0, 1, 2]) {
      for (const problem of generateProblems({ split: "train", seed, count: 5000 })) {
        expect(test.has(key(problem)), problem.problem).toBe(false);
      }
    }
  });

  it("does not depend on the order of terms or factors", () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(...LEVELS), (seed, level) => {
        const { terms } = drawProblem(seededRandom(seed), level);
        const turned = terms.map((t) => ({ ...t, factors: [...t.factors].reverse() })).reverse();
        expect(splitOf(turned)).toBe(splitOf(terms));
      }),
    );
  });

  it("holds out about a tenth", () => {
    const random = seededRandom(3);
    const drawn = Array.from({ length: 6000 }, (_, i) => drawProblem(random, LEVELS[i % 6] as (typeof LEVELS)[number]));
    const share = drawn.filter((p) => splitOf(p.terms) === "test").length / drawn.length;
    expect(share).toBeGreaterThan(0.08);
    expect(share).toBeLessThan(0.12);
  });
});

describe("seeds", () => {
  it("give the same problems again, and others for another seed", () => {
    const draw = (seed: number) => generateProblems({ split: "train", seed, count: 50 });
    expect(draw(5)).toEqual(draw(5));
    expect(draw(5)).not.toEqual(draw(6));
  });

  it("draw integers evenly between both ends", () => {
    const random = seededRandom(1);
    const draws = new Array<number>(6).fill(0);
    for (let i = 0; i < 60_000; i++) draws[random.integer(0, 5)]!++;
    for (const count of draws) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  });

  it.each([0, -1, 1.5, 3001])("refuse a count of %d test problems by name", (count) => {
    expect(() => generateProblems({ split: "test", seed: 0, count })).toThrow(UserError);
    expect(() => generateProblems({ split: "test", seed: 0, count })).toThrow(String(count));
  });
});
