/** Functions in pieces by value, systems of equations as sets of equations, in any order. */
import { expect, test } from "vitest";
import { verify } from "../../src/math/index.js";

const cases = (...rows: string[]): string => `\\begin{cases}${rows.join("\\\\")}\\end{cases}`;
const distance = cases("x-3,&x\\ge 3", "3-x,&x<3");

test.each<[gold: string, answer: string, equal: boolean]>([
  [distance, cases("3-x&\\text{if }x<3", "x-3&\\text{if }x\\ge3"), true],
  [distance, cases("x-3&x>3", "3-x&\\text{otherwise}"), true],
  [distance, cases("x-3,\\ x\\ge3", "3-x,\\ x<3"), true],
  [distance, "\\left\\{\\begin{array}{ll}3-x,&x\\le3\\\\x-3,&x>3\\end{array}\\right.", true],
  [`g(x)=${distance}`, "g(x)=\\left\\{\\begin{array}{ll}3-x,&x\\le3\\\\x-3,&x>3\\end{array}\\right.", true],
  [distance, "|x-3|", true],
  [distance, "x-3", false],
  [distance, "|x+3|", false],
  [distance, cases("x-3,&x\\ge 3", "x-3,&x<3"), false],
  [distance, cases("x-3,&x\\ge 3", "3-x,&x<2"), false],
  [distance, cases("x-3,&x>3", "3-x,&x<3"), false],
  [distance, cases("x-3,&x\\ge 3", "3+x,&\\text{otherwise}"), false],
  [cases("2&t\\le0", "5&0<t<1", "9&t\\ge1"), cases("5&0<t<1", "9&1\\le t", "2&t\\le 0"), true],
  [cases("2&t\\le0", "5&0<t<1", "9&t\\ge1"), cases("5&0<t\\le1", "9&1<t", "2&t\\le 0"), false],
  [cases("2&t\\in[0,1]", "7&t=4"), cases("7&t=4", "2&0\\le t\\le1"), true],
  [cases("2&t\\in[0,1]", "7&t=4"), cases("7&t=5", "2&0\\le t\\le1"), false],
  [cases("1&n\\text{ even}", "0&n\\text{ odd}"), cases("0&n\\text{ odd}", "1&n\\text{ even}"), true],
  [cases("1&n\\text{ even}", "0&n\\text{ odd}"), cases("1&n\\text{ odd}", "0&n\\text{ even}"), false],
  [cases("u=4", "v=-1"), "v=-1,u=4", true],
  [cases("u=4", "v=-1"), cases("v=-1", "u=4"), true],
  [cases("u=4", "v=-1"), "u=-1,v=4", false],
  [cases("u=4", "v=-1"), "u=4", false],
  [cases("u+v=4", "u-v=2"), cases("u-v=2", "2u+2v=8"), true],
  [cases("u+v=4", "u-v=2"), cases("u+v=2", "u-v=4"), false],
  [cases("u+v=4", "u-v=2"), cases("u-v=-2", "u+v=4"), false],
])("%s against %s: %s", (gold, answer, equal) => {
  expect(verify(gold, `\\boxed{${answer}}`, "evaluation")).toBe(equal);
});
