/** Left sides: what an equation's value is assigned to, and which two left sides name one thing. */
import { expect, test } from "vitest";
import { verify } from "../../src/math/index.js";

test.each<[gold: string, answer: string, equal: boolean]>([
  ["V_1:V_2=3:8", "3:8", true],
  ["V_1:V_2=3:8", "3:9", false],
  ["V_1:V_2=3:8", "V_1:V_2=3:8", true],
  ["\\sin A:\\sin B:\\sin C=2:3:4", "2:3:4", true],
  ["\\frac{PQ}{QR}=\\frac57", "\\frac{5}{7}", true],
  ["|PQ|=6", "6", true],
  ["|x|=6", "6", false],
  ["\\cos B=\\frac14", "\\frac14", true],
  ["\\cos x=\\frac14", "\\frac14", false],
  ["\\Delta t\\approx \\frac{hc}{E}", "\\frac{ch}{E}", true],
  ["g''(x)=12x^2", "12x^2", true],
  ["\\frac{\\partial u}{\\partial t}=4xt", "4xt", true],
  ["\\frac{dy}{dx}=\\frac{y}{x}", "y'=\\frac{y}{x}", true],
  ["\\frac{dy}{dx}=\\frac{y}{x}", "y'=\\frac{x}{y}", false],
  ["y=3x-1", "f(x)=3x-1", true],
  ["f(x)=3x-1", "f(t)=3t-1", true],
  ["f(x)=3x-1", "f(t)=3x-1", false],
  ["f(x)=3x-1", "g(x)=3x-1", false],
  ["x=4", "y=4", false],
  ["2<f(x)<3", "(2,3)", true],
  ["2<f(x)<3", "[2,3]", false],
  ["2 < f(x) \\le 3", "(2,3]", true],
  ["x=1,y=4;x=2,y=3", "(1,4),(2,3)", true],
  ["x=1,y=4;x=2,y=3", "(4,1),(2,3)", false],
  ["a+b=7", "7", true],
  ["a^2+b=7", "7", false],
])("%s against %s: %s", (gold, answer, equal) => {
  expect(verify(gold, `\\boxed{${answer}}`, "evaluation")).toBe(equal);
});

test("a sum of letters is an equation where words are literal", () => {
  expect(verify("a+b=7", "\\boxed{7}")).toBe(false);
});
