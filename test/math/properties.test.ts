/**
 * What holds for every answer: an answer equals itself in any spelling, a change of a digit, a sign or a name makes it
 * another answer, and nothing makes the grader throw.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canParse, evaluation, explain, extract, parse, verify } from "../../src/math/index.js";

const box = (answer: string): string => `\\boxed{${answer}}`;
const variable = fc.constantFrom("x", "y", "a", "n");
const whole = fc.integer({ min: 1, max: 99_999 }).map(String);

/** Formulas of some depth in spaced LaTeX: every token is separated, so that respelling is easy. */
const formula: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(whole, variable, fc.constant("\\pi")),
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => `\\left( ${a} + ${b} \\right)`),
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => `\\left( ${a} - ${b} \\right)`),
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => `${a} \\cdot ${b}`),
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => `\\frac{ ${a} }{ ${b} }`),
    tie("node").map((a) => `\\sqrt{ ${a} }`),
    fc.tuple(tie("node"), fc.integer({ min: 2, max: 5 })).map(([a, k]) => `\\left( ${a} \\right)^{ ${k} }`),
    tie("node").map((a) => `\\sin \\left( ${a} \\right)`),
  ),
})).node;

const respell = (latex: string): string =>
  latex
    .replaceAll("\\frac", "\\dfrac")
    .replaceAll("\\left", "")
    .replaceAll("\\right", "")
    .replaceAll("\\cdot", "\\times")
    .replaceAll(" + ", "\\,+\\;");

const items = fc.uniqueArray(fc.integer({ min: -500, max: 500 }), { minLength: 2, maxLength: 7 });

describe("equal", () => {
  test("to itself, whatever the text", () => {
    fc.assert(
      fc.property(formula, (latex) => {
        expect(verify(latex, box(latex))).toBe(true);
      }),
    );
  });

  test("under other spellings", () => {
    fc.assert(
      fc.property(formula, (latex) => {
        expect(verify(latex, box(respell(latex)))).toBe(true);
      }),
    );
  });

  test("as a sum in the other order", () => {
    fc.assert(
      fc.property(formula, formula, (a, b) => {
        // Undecided where a value overflows or is undefined; never different.
        expect(explain(`${a} + ${b}`, box(`${b} + ${a}`)).verdict).not.toBe("different");
      }),
    );
  });

  test("as sets in any order", () => {
    fc.assert(
      fc.property(items, fc.integer(), (values, seed) => {
        const shuffled = values
          .map((value, i) => ({ value, key: Math.sin(seed + i) }))
          .sort((a, b) => a.key - b.key)
          .map(({ value }) => value);
        expect(verify(`\\{${values.join(", ")}\\}`, box(shuffled.join(", ")))).toBe(true);
      }),
    );
  });

  test("fractions to their multiples and their decimals", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -999, max: 999 }),
        fc.integer({ min: 1, max: 999 }),
        fc.integer({ min: 2, max: 50 }),
        (p, q, k) => {
          expect(verify(`\\frac{${p}}{${q}}`, box(`\\frac{${k * p}}{${k * q}}`))).toBe(true);
          expect(verify(`\\frac{${p}}{${q}}`, box((p / q).toFixed(8)))).toBe(true);
        },
      ),
    );
  });
});

describe("symmetric", () => {
  test("between formulas, lists and sets", () => {
    const answer = fc.oneof(
      formula,
      items.map((values) => values.join(", ")),
    );
    fc.assert(
      fc.property(answer, answer, (a, b) => {
        expect(verify(a, box(b))).toBe(verify(b, box(a)));
      }),
    );
  });
});

describe("different", () => {
  const digits = fc.bigInt({ min: 10n, max: 10n ** 40n }).map(String);

  test("with another digit", () => {
    fc.assert(
      fc.property(digits, fc.nat(), fc.integer({ min: 1, max: 9 }), (number, at, shift) => {
        const i = at % number.length;
        const changed = `${number.slice(0, i)}${(Number(number[i]) + shift) % 10}${number.slice(i + 1)}`;
        expect(verify(number, box(changed))).toBe(false);
        expect(verify(`${number}x+1`, box(`${changed}x+1`))).toBe(false);
        expect(verify(`\\frac{1}{${number}}`, box(`\\frac{1}{${BigInt(changed) || 3n}}`))).toBe(false);
      }),
    );
  });

  test("with another digit before an irrational factor", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 ** 12 }),
        fc.constantFrom("\\pi", "\\sqrt{3}", "\\ln 2", "e"),
        (n, factor) => {
          expect(verify(`${n}${factor}`, box(`${n + 1}${factor}`))).toBe(false);
        },
      ),
    );
  });

  test("with the other sign", () => {
    fc.assert(
      fc.property(whole, whole, (a, b) => {
        expect(verify(a, box(`-${a}`))).toBe(false);
        expect(verify(`${a}x+${b}`, box(`${a}x-${b}`))).toBe(false);
        expect(verify(`(${a}, ${b})`, box(`(${a}, -${b})`))).toBe(false);
        expect(verify(`\\sqrt{${a}}`, box(`-\\sqrt{${a}}`))).toBe(false);
      }),
    );
  });

  test("with another variable", () => {
    const power = fc.integer({ min: 1, max: 9 });
    const form = fc.constantFrom(
      "A x^{K} + B",
      "\\frac{A}{x^{K} + B}",
      "\\sqrt{A x^{K}} - B y",
      "A \\sin(x) + y^{K}",
      "x_{K} + A",
    );
    fc.assert(
      fc.property(form, whole, whole, power, fc.constantFrom("t", "k", "z", "w"), (shape, a, b, k, name) => {
        const gold = shape.replace("A", a).replace("B", b).replace("K", String(k));
        const renamed = gold.replace(/(?<![a-z])x/, name);
        expect(verify(gold, box(renamed))).toBe(false);
        expect(verify(gold, box(gold))).toBe(true);
      }),
    );
  });

  test("with an element more or less", () => {
    fc.assert(
      fc.property(items, (values) => {
        const gold = values.join(", ");
        expect(verify(gold, box(values.slice(1).join(", ")))).toBe(false);
        expect(verify(gold, box([...values, 501].join(", ")))).toBe(false);
      }),
    );
  });
});

describe("never throws", () => {
  const pieces = fc.constantFrom(
    ..."\\frac \\sqrt \\boxed { } ( ) [ ] \\{ \\} | ^ _ ! ' % $ , ; = < > \\le \\cup \\pm \\in \\text \\begin{pmatrix}".split(
      " ",
    ),
    ..."\\end{pmatrix} & \\\\ x 7 12 .5 1e9 \\sin \\log \\sum \\int \\infty \\mid : / * + - \\over \\langle \\rangle °".split(
      " ",
    ),
  );
  const soup = fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(" "));

  test.each<[string, fc.Arbitrary<string>]>([
    ["random text", fc.string({ unit: "binary", maxLength: 300 })],
    [
      "random code units",
      fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 200 }).map((c) => String.fromCharCode(...c)),
    ],
    ["LaTeX soup", soup],
  ])("on %s", (_, text) => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        for (const prediction of [b, box(b)]) {
          const verdict = explain(a, prediction, "evaluation");
          expect(verdict.rule).not.toMatch(/internal/);
        }
        extract(b, evaluation);
        parse(a);
        canParse(a);
      }),
      { numRuns: 400 },
    );
  });
});
