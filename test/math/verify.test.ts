import { expect, test } from "vitest";
import { canParse, verify } from "../../src/math/index.js";

test.each([
  ["$7$", "so \\boxed{7}", true],
  ["$\\frac{1}{2}$", "\\boxed{0.5}", true],
  ["1,234", "$\\boxed{1234}$", true],
  ["-3/6", "\\boxed{-\\dfrac{1}{2}}", true],
  ["7", "\\boxed{8}", false],
  ["7", "the answer may be 7", false],
])("verify(%s, %s) is %s", (gold, prediction, expected) => {
  expect(verify(gold, prediction)).toBe(expected);
});

test("a gold without an answer cannot be parsed", () => {
  expect(canParse("")).toBe(false);
  expect(canParse("12")).toBe(true);
});
