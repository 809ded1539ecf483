/** Matrix expressions against the matrix, number or vector they come to. */
import { expect, test } from "vitest";
import { verify } from "../../src/math/index.js";

const matrix = (rows: string): string => `\\begin{pmatrix}${rows}\\end{pmatrix}`;
const ab = matrix("1&4\\\\2&9");

test.each<[gold: string, answer: string, equal: boolean]>([
  [matrix("3&4\\\\2&8"), `${ab}+${matrix("2&0\\\\0&-1")}`, true],
  [matrix("3&4\\\\2&9"), `${ab}+${matrix("2&0\\\\0&-1")}`, false],
  [matrix("4&1\\\\9&2"), `${ab}${matrix("0&1\\\\1&0")}`, true],
  [matrix("2&9\\\\1&4"), `${ab}${matrix("0&1\\\\1&0")}`, false],
  [matrix("9&40\\\\20&89"), `${ab}^2`, true],
  [matrix("1&16\\\\4&81"), `${ab}^2`, false],
  [matrix("1&2\\\\4&9"), `${ab}^T`, true],
  [ab, `${ab}^T`, false],
  [matrix("9&-4\\\\-2&1"), `${ab}^{-1}`, true],
  [matrix("-9&4\\\\2&-1"), `${ab}^{-1}`, false],
  [matrix("1&\\frac14\\\\\\frac12&\\frac19"), `${ab}^{-1}`, false],
  ["1", `\\det${ab}`, true],
  ["1", `\\left|${ab}\\right|`, true],
  ["1", "\\begin{vmatrix}1&4\\\\2&9\\end{vmatrix}", true],
  ["-1", "\\begin{vmatrix}1&4\\\\2&9\\end{vmatrix}", false],
  ["17", "\\begin{vmatrix}1&4\\\\2&9\\end{vmatrix}", false],
  ["ad-bc", "\\begin{vmatrix}a&b\\\\c&d\\end{vmatrix}", true],
  ["ad+bc", "\\begin{vmatrix}a&b\\\\c&d\\end{vmatrix}", false],
  ["6", "\\begin{vmatrix}1&5&7\\\\0&2&8\\\\0&0&3\\end{vmatrix}", true],
  ["2\\mathbf{i}-3\\mathbf{k}", "\\langle 2,0,-3\\rangle", true],
  ["2\\hat{i}-3\\hat{k}", "2\\vec{i}-3\\vec{k}", true],
  ["2\\hat{i}-3\\hat{k}", "2\\hat{i}-3\\hat{j}", false],
])("%s against %s: %s", (gold, answer, equal) => {
  expect(verify(gold, `\\boxed{${answer}}`, "evaluation")).toBe(equal);
});
