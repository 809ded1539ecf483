/** How LaTeX is read: one structure for all spellings. */
import { describe, expect, test } from "vitest";
import { canParse, parse, render } from "../../src/math/index.js";

const read = (latex: string): string | undefined => {
  const node = parse(latex);
  return node && render(node);
};

test.each([
  ["3x^2", "mul(3, pow(x, 2))"],
  ["-x^2", "neg(pow(x, 2))"],
  ["x^10", "pow(x, 10)"],
  ["a/b c", "mul(div(a, b), c)"],
  ["\\frac12", "div(1, 2)"],
  ["\\frac123", "mul(div(1, 2), 3)"],
  ["3\\frac{1}{4}", "13/4"],
  ["\\sqrt[3]{x}", "root(x, 3)"],
  ["\\sin^2 3x", "pow(sin(mul(3, x)), 2)"],
  ["\\sin x \\cos x", "mul(sin(x), cos(x))"],
  ["\\sin^{-1} x", "arcsin(x)"],
  ["\\log_{3} x", "log(3, x)"],
  ["2\\cos 15^\\circ", "mul(2, cos(deg(15)))"],
  ["|{-3}|", "abs(neg(3))"],
  ["n!", "fact(n)"],
  ["x'", "x'"],
  ["f(x, y)", "apply(f, x, y)"],
  ["x_{12}y", "mul(x_12, y)"],
  ["(1, 2]", "(1, 2]"],
  ["\\{1, 2\\}", "{1, 2}"],
  ["\\{x \\mid x > 0\\}", "{x | x > 0}"],
  ["1 < x \\le 3", "1 < x <= 3"],
  ["A \\cup B", "cup(A, B)"],
  ["1{,}000", "1000"],
  ["1,000", "1000"],
  ["(1,000)", "(1, 0)"],
  ["1, 200", "list[1, 200]"],
  ["1, 000", "1000"],
  ["2.5e3", "2500"],
  ["0.1\\overline{6}", "1/6"],
  ["12_{8}", "12_8"],
  ["25\\%", "1/4"],
  ["5\\text{ cm}^2", "5 <cm^2>"],
  ["\\begin{bmatrix}1&0\\\\0&1\\end{bmatrix}", "matrix[1, 0; 0, 1]"],
  ["\\left.\\frac{1}{2}\\right.", "div(1, 2)"],
  ["np.sqrt(2)", "sqrt(2)"],
  ["½", "div(1, 2)"],
  ["x²", "pow(x, 2)"],
  ["it diverges", '"it diverges"'],
])("%s is read as %s", (latex, expected) => {
  expect(read(latex)).toBe(expected);
});

describe("canParse", () => {
  test.each(["7", "$\\frac{1}{2}$", "\\boxed{3}", "\\text{yes}", "it diverges", "x^2+1=0", "A"])(
    "%s can be judged",
    (gold) => {
      expect(canParse(gold)).toBe(true);
    },
  );

  test.each(["", "   ", "$$", "...", "\\boxed{}", "7".repeat(3000), "(".repeat(200)])("%s cannot", (gold) => {
    expect(canParse(gold)).toBe(false);
  });
});
