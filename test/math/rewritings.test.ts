/** Own golds of every kind in the spellings of rewritings.ts, and changed in its ways. */
import { describe, expect, test } from "vitest";
import { explain } from "../../src/math/index.js";
import { kinds, rewritings } from "./rewritings.js";

const golds = [
  ..."0 7 -13 2468 1357924 -90210 0.125 -3.75 12.5 0.0042 31415.9".split(" "),
  ..."\\frac{5}{8} -\\frac{17}{6} \\frac{22}{7} \\dfrac{3}{4} \\frac{101}{1001}".split(" "),
  ..."3\\sqrt{5} 2+\\sqrt{11} \\frac{4\\sqrt{3}}{9} 6\\pi 2^{10}-1 3-4i \\frac{1+\\sqrt{13}}{2} 5\\ln(3)".split(" "),
  "x^2-5x+6",
  "\\frac{a+b}{2ab}",
  "2\\sin(x)+\\cos(3x)",
  "e^{-2t}\\left(1+t\\right)",
  "\\frac{n(n+1)(2n+1)}{6}",
  "3, 8, 21",
  "-4, 4",
  "\\frac{1}{3}, \\sqrt{2}, -7",
  "(1,4),(4,1)",
  "(2,-5)",
  "\\left(\\frac{3}{2}, -\\sqrt{7}, 0\\right)",
  "[-3,8)",
  "(-\\infty,\\frac{5}{4}]",
  "\\left[2, \\infty\\right)",
  "y = 3x - 7",
  "x^2 + 4y^2 = 16",
  "f(x) = x^3 - 1",
  "1203_4",
  "765_{8}",
  "\\begin{pmatrix} 3 \\\\ -8 \\end{pmatrix}",
  "\\begin{pmatrix} 1 & 6 \\\\ 0 & -2 \\end{pmatrix}",
  "\\text{(D)}",
];

test("every kind has a gold", () => {
  for (const kind of kinds) expect(golds.some((gold) => kind.parts(gold))).toBe(true);
});

describe.each(golds)("%s", (gold) => {
  test.each([true, false])("equal is %s", (equal) => {
    const wrong = [...rewritings(gold)]
      .filter((rewriting) => rewriting.equal === equal)
      .filter((rewriting) => {
        return (explain(`$${gold}$`, `\\boxed{${rewriting.answer}}`).verdict === "equal") !== equal;
      });
    expect(wrong).toEqual([]);
  });
});
