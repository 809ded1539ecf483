/** What stands around a box: a sign, a factor, a unit or a percent sign is part of the answer, prose and numbering are not. */
import { expect, test } from "vitest";
import { verify } from "../../src/math/index.js";

type Line = [gold: string, completion: string, equal: boolean];

const lines: Line[] = [
  // Arithmetic
  ["-7", "so $y = -\\boxed{7}$", true],
  ["7", "so $y = -\\boxed{7}$", false],
  ["-7", "hence -\\boxed{7}.", true],
  ["3\\pi", "an area of $\\boxed{3}\\pi$", true],
  ["3\\pi", "an area of \\boxed{3}\\pi.", true],
  ["3", "an area of \\boxed{3}\\pi.", false],
  ["2.5\\times10^{-3}", "$\\boxed{2.5}\\times10^{-3}$", true],
  ["2.5", "$\\boxed{2.5}\\times10^{-3}$", false],
  ["\\frac{4}{9}", "$\\frac{\\boxed{4}}{\\boxed{9}}$", true],
  ["\\frac{1}{9}", "is \\frac{1}{\\boxed{9}}", true],
  ["2^{12}", "in total $2^{\\boxed{12}}$", true],
  ["12", "in total $2^{\\boxed{12}}$", false],
  ["4i", "\\boxed{4}i", true],
  ["x^2+C", "$\\boxed{x^2}+C$", true],
  ["132_5", "$\\boxed{132}_{5}$", true],
  ["132_5", "$\\boxed{132}_{8}$", false],
  ["2(a+b)", "$2\\boxed{a+b}$", true],
  // Of a chain of equations the side with the box, of an inequality either.
  ["9", "\\[4 + 5 = \\boxed{9}\\]", true],
  ["9", "$\\boxed{9} = 3^2$", true],
  ["4", "$n \\equiv \\boxed{4} \\pmod{9}$", true],
  ["y \\ge 4", "$y \\ge \\boxed{4}$", true],
  ["4", "$y \\ge \\boxed{4}$", true],
  ["y \\le 4", "$y \\ge \\boxed{4}$", false],
  // Percent signs leave both readings open.
  ["35", "$\\boxed{35}$ percent", true],
  ["35\\%", "$\\boxed{35}\\,\\%$", true],
  ["35\\%", "$\\boxed{35}\\text{ per cent}$", true],
  ["0.35", "\\boxed{35}%", true],
  ["35", "\\boxed{0.35}", false],
  ["35\\%", "\\boxed{3.5}\\%", false],
  // Units behind the box
  ["8\\text{ cm}", "$\\boxed{8}$ m", false],
  ["8\\text{ cm}", "$\\boxed{8}$ cm", true],
  ["8\\text{ cm}", "$\\boxed{0.08}$ m.", true],
  ["8", "$\\boxed{8}$ km", true],
  ["8\\text{ kg}", "$\\boxed{8}$ grams", false],
  ["8\\text{ m}^2", "$\\boxed{8}$ m$^2$", true],
  ["8\\text{ m}^2", "$\\boxed{8}\\text{ m}^3$", false],
  ["70\\text{ km/h}", "\\boxed{70} miles per hour", false],
  ["8", "$\\boxed{8}$ in all", true],
  ["8\\text{ cm}", "$\\boxed{8}$ in all", true],
  ["8000000", "\\boxed{8} million", true],
  ["8000", "\\boxed{8} million", false],
  ["40^\\circ", "$\\boxed{40}$°", true],
  // Not of the answer
  ["6", "(b) $\\boxed{6}$", true],
  ["6", "$(b)\\ \\boxed{6}$", true],
  ["6", "2. \\boxed{6}", true],
  ["6", "- \\boxed{6}", true],
  ["6", "* **\\boxed{6}**.", true],
  ["6", "$\\boxed{6}\\ \\blacksquare$", true],
  ["6", "\\begin{align*} n &= 2 + 4 \\\\ &= \\boxed{6}. \\end{align*}", true],
  ["6", "$\\text{Answer: }\\boxed{6}$", true],
  ["6", "{\\color{blue}\\boxed{6}}", true],
  ["6", "$m = 2$, so $n = \\boxed{6}$, and $k = 3$.", true],
  ["B", "that is (B)\\boxed{B}.", true],
];

test.each(lines)("%s against %s: %s", (gold, completion, equal) => {
  expect(verify(gold, completion)).toBe(equal);
});
