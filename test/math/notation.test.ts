/** Notation that says the same: scripts in either order, fonts, spaces, brackets of other countries and programs. */
import { describe, expect, test } from "vitest";
import { explain } from "../../src/math/index.js";

type Line = [gold: string, answer: string, equal: boolean];

const tables: Record<string, Line[]> = {
  "subscripts behind superscripts": [
    ["\\frac{u_1^2}{4a}", "\\frac{u^2_1}{4a}", true],
    ["\\frac{u_1^2}{4a}", "\\frac{u_2^1}{4a}", false],
    ["a_{ij}^{n+1}", "a^{n+1}_{ij}", true],
    ["\\mu_0^2 + 1", "1 + \\mu^{2}_{0}", true],
    ["\\sum_{k=1}^4 k^2", "\\sum^4_{k=1} k^2", true],
    ["30", "\\sum^4_{k=1} k^2", true],
    ["\\log_3^2 7", "\\log^2_3 7", true],
    ["g_2'(t)", "g'_2(t)", true],
    ["x_1'", "x'_1", true],
  ],
  "functions of a name": [
    ["J(0)", "J{\\left(0 \\right)}", true],
    ["J(0)", "J{\\left(1 \\right)}", false],
    ["2 J(0) + 1", "1 + 2 J{\\left(0 \\right)}", true],
    ["f''(x)", "f''{\\left(x \\right)}", true],
    ["u''(t)", "u'(t)", false],
  ],
  "brackets and spaces": [
    ["|y - 3|", "\\mleft| y-3 \\mright|", true],
    ["(a+1)(a+2)", "\\mleft(a+1\\mright)\\mleft[a+2\\mright]", true],
    ["xy", "x \\medspace y", true],
    ["xy", "x \\negthinspace y", true],
    ["(2,5)", "]2,5[", true],
    ["[2,5)", "[2,5[", true],
    ["(2,5)\\cup(6,7)", "]2,5[ \\cup ]6,7[", true],
    ["(2,5)", "[2,5]", false],
  ],
  "parts of number sets": [
    ["[0,\\infty)", "\\mathbb{R}_{\\ge 0}", true],
    ["(0,\\infty)", "\\mathbb{R}^+", true],
    ["(0,\\infty)", "\\mathbb{R}_{\\ge 0}", false],
    ["(-\\infty,0)\\cup(0,\\infty)", "\\mathbb{R}^*", true],
    ["\\mathbb{Z}^+", "\\mathbb{Z}", false],
    ["\\{3\\}", "\\{1,3\\}\\cap\\{3,4\\}", true],
    ["\\{3\\}", "\\{1,3\\}\\cup\\{3,4\\}", false],
  ],
  binomials: [["15", "\\binom62", true]],
  "complex numbers": [
    ["5-2i", "\\overline{5+2i}", true],
    ["5+2i", "\\overline{5+2i}", false],
    ["4e^{i\\pi/6}", "4\\angle 30^\\circ", true],
    ["2\\sqrt3+2i", "4\\operatorname{cis}30^\\circ", true],
    ["2+2\\sqrt3i", "4\\operatorname{cis}30^\\circ", false],
  ],
};

for (const [name, lines] of Object.entries(tables)) {
  describe(name, () => {
    test.each(lines)("%s against %s: %s", (gold, answer, equal) => {
      expect(explain(gold, `\\boxed{${answer}}`, "evaluation")).toMatchObject({ correct: equal });
    });
  });
}
