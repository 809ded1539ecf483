/** Sums, integrals, limits and derivatives as answers: by value in the evaluation preset, not at all in the reward. */
import { describe, expect, test } from "vitest";
import { explain, verify } from "../../src/math/index.js";

type Line = [gold: string, answer: string, verdict: "equal" | "different" | "undecided"];

const tables: Record<string, Line[]> = {
  sums: [
    ["\\frac{n(n+1)(2n+1)}{6}", "\\sum_{j=1}^{n} j^2", "equal"],
    ["\\frac{n(n+1)(2n+1)}{6}", "\\sum_{j=1}^{n} j^3", "different"],
    ["\\frac{n(n+1)(2n+1)}{6}", "\\sum_{j=0}^{n+1} j^2", "different"],
    ["2^n", "\\sum_{k=0}^n \\binom{n}{k}", "equal"],
    ["2^n - 1", "\\sum_{k=0}^n \\binom{n}{k}", "different"],
    ["\\sum_{k=1}^n \\frac1k", "\\sum_{i=1}^n \\frac1i", "equal"],
    ["\\sum_{k=1}^n \\frac1k", "\\sum_{i=0}^{n-1} \\frac{1}{i+1}", "equal"],
    ["\\sum_{k=1}^n \\frac1k", "\\sum_{i=1}^n \\frac1{i^2}", "different"],
    ["2 n!", "\\prod_{k=2}^n k \\cdot 2", "different"],
    ["(n+1)!", "\\prod_{k=1}^{n+1} k", "equal"],
    ["x\\sum_{i=1}^{n} i", "\\sum_{i=1}^{n} i \\cdot x", "equal"],
  ],
  "infinite sums": [
    ["\\frac{\\pi^2}{6}", "\\sum_{n=1}^\\infty \\frac{1}{n^2}", "equal"],
    ["1.64", "\\sum_{n=1}^\\infty \\frac{1}{n^2}", "different"],
    ["\\ln 2", "\\sum_{k=1}^{\\infty} \\frac{(-1)^{k-1}}{k}", "equal"],
    ["e^2", "\\sum_{n=0}^\\infty \\frac{2^n}{n!}", "equal"],
    ["2", "\\sum_{n=1}^\\infty \\frac{n}{2^n}", "equal"],
    ["\\frac{1}{1-t}", "\\sum_{n=0}^\\infty t^n", "equal"],
    ["\\frac{1}{1+t}", "\\sum_{n=0}^\\infty t^n", "different"],
    ["0", "\\sum_{n=1}^\\infty \\frac{1}{n}", "undecided"],
    ["\\frac12", "\\sum_{n=0}^\\infty (-1)^n", "undecided"],
    ["-1", "\\sum_{n=0}^\\infty 2^n", "undecided"],
  ],
  derivatives: [
    ["-\\sin x", "\\frac{d}{dx}\\cos x", "equal"],
    ["6x", "\\frac{d^2}{dx^2} x^3", "equal"],
    ["2xy", "\\frac{\\partial}{\\partial x}\\left(x^2y\\right)", "equal"],
    ["x^x(1+\\ln x)", "\\frac{d}{dx} x^x", "equal"],
    ["\\frac{1}{1+x^2}", "\\frac{d}{dx}\\arctan x", "equal"],
    ["\\cos x", "\\frac{d}{dx}\\cos x", "different"],
  ],
  integrals: [
    ["2", "\\int_0^\\pi \\sin x\\,dx", "equal"],
    ["2", "\\int_0^\\pi \\cos x\\,dx", "different"],
    ["\\frac{\\sqrt{\\pi}}{2}", "\\int_0^\\infty e^{-t^2}\\,\\mathrm{d}t", "equal"],
    ["2", "\\int_0^1 \\frac{dx}{\\sqrt{x}}", "equal"],
    ["3", "\\int_{-1}^{1} \\frac{dx}{\\sqrt{1-x^2}}", "undecided"],
    ["\\frac13", "\\int_0^1\\int_0^1 x^2 \\,dx\\,dy", "equal"],
    ["\\frac{a^3}{3}", "\\int_0^a x^2 dx", "equal"],
    ["0", "\\int_{-1}^{1} \\frac{1}{x}\\,dx", "undecided"],
    ["1", "\\int_{0}^{\\infty} \\frac{\\sin x}{x}\\,dx", "undecided"],
    ["\\frac{x^4}{4}+C", "\\int x^3\\,dx", "equal"],
    ["\\frac{x^4}{4}", "\\int x^3\\,dx", "different"],
    ["\\frac{x^4}{2}+C", "\\int x^3\\,dx", "different"],
    ["\\int \\left(2x+b\\right)dx", "\\int b + 2x\\, dx", "equal"],
    ["\\int \\frac{5}{u}\\,du", "\\int \\frac{5\\,du}{u}", "equal"],
    ["\\int x\\,dx", "\\int t\\,dt", "different"],
  ],
  limits: [
    ["e", "\\lim_{n\\to\\infty}\\left(1+\\frac1n\\right)^n", "equal"],
    ["e^2", "\\lim_{n\\to\\infty}\\left(1+\\frac1n\\right)^n", "different"],
    ["1", "\\lim_{x\\to0}\\frac{\\sin x}{x}", "equal"],
    ["\\frac12", "\\lim_{x \\to 0^{+}} \\frac{1-\\cos x}{x^2}", "equal"],
    ["0", "\\lim_{x\\to0}\\frac{|x|}{x}", "undecided"],
    ["6", "\\lim_{x\\to3}\\frac{x^2-9}{x-3}", "equal"],
  ],
  steps: [
    ["0", "\\lceil 3y-2y-y \\rceil", "equal"],
    ["2", "\\lfloor y+2-y \\rfloor", "equal"],
    ["1", "\\lceil 3y-2y-y \\rceil", "different"],
  ],
};

for (const [name, lines] of Object.entries(tables)) {
  describe(name, () => {
    test.each(lines)("%s against %s: %s", (gold, answer, verdict) => {
      expect(explain(gold, `\\boxed{${answer}}`, "evaluation")).toMatchObject({ verdict });
    });
  });
}

test.each([
  ["2", "\\int_0^\\pi \\sin x\\,dx"],
  ["e", "\\lim_{n\\to\\infty}\\left(1+\\frac1n\\right)^n"],
  ["15", "\\sum_{k=1}^5 k"],
  ["\\cos x", "\\frac{d}{dx}\\sin x"],
])("no reward for %s as %s, which may be the question", (gold, answer) => {
  expect(explain(gold, `\\boxed{${answer}}`)).toMatchObject({ correct: false, rule: "not evaluated" });
  expect(verify(answer, `\\boxed{${answer}}`)).toBe(true);
});
