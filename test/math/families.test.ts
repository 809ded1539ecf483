/** Families with an integer parameter are the sets they are, however the parameter is called and shifted. */
import { expect, test } from "vitest";
import { verify } from "../../src/math/index.js";

test.each<[gold: string, answer: string, equal: boolean]>([
  ["x=\\frac{\\pi}{4}+n\\pi, n\\in\\mathbb{Z}", "x=-\\frac{3\\pi}{4}+k\\pi, k\\in\\mathbb{Z}", true],
  ["x=\\frac{\\pi}{4}+n\\pi, n\\in\\mathbb{Z}", "x=\\frac{(4k+1)\\pi}{4} \\text{ for any integer } k", true],
  [
    "x=\\frac{\\pi}{4}+n\\pi, n\\in\\mathbb{Z}",
    "x=\\frac{\\pi}{4}+m\\pi, \\text{ where } m \\text{ is an integer}",
    true,
  ],
  ["x=\\frac{\\pi}{4}+n\\pi, n\\in\\mathbb{Z}", "\\frac{\\pi}{4}+k\\pi", true],
  ["x=\\frac{\\pi}{4}+n\\pi, n\\in\\mathbb{Z}", "y=\\frac{\\pi}{4}+k\\pi, k\\in\\mathbb{Z}", false],
  ["x=\\frac{\\pi}{4}+n\\pi, n\\in\\mathbb{Z}", "x=\\frac{\\pi}{4}+2k\\pi, k\\in\\mathbb{Z}", false],
  ["x=\\frac{\\pi}{4}+2n\\pi, n\\in\\mathbb{Z}", "x=\\frac{\\pi}{4}+k\\pi, k\\in\\mathbb{Z}", false],
  ["x=\\frac{\\pi}{4}+n\\pi, n\\in\\mathbb{Z}", "x=\\frac{\\pi}{4}", false],
  ["\\{3n+2\\mid n\\in\\mathbb{Z}\\}", "\\{3k-1: k\\in\\mathbb{Z}\\}", true],
  ["\\{3n+2\\mid n\\in\\mathbb{Z}\\}", "\\{3k+1: k\\in\\mathbb{Z}\\}", false],
  ["\\{3n+2\\mid n\\in\\mathbb{N}\\}", "\\{3k-1: k\\in\\mathbb{Z}\\}", false],
  ["\\{3n+2\\mid n\\in\\mathbb{N}\\}", "\\{3k-1: k\\in\\mathbb{Z}^+\\}", true],
  ["(k\\pi,k\\pi+1),k\\in\\mathbb{Z}", "(n\\pi,n\\pi+1)\\ (n\\in\\mathbb{Z})", true],
  ["(k\\pi,k\\pi+1),k\\in\\mathbb{Z}", "[n\\pi,n\\pi+1]\\ (n\\in\\mathbb{Z})", false],
  ["x\\equiv 2\\pmod 9", "x\\equiv 11\\pmod 9", true],
  ["x\\equiv -7\\pmod 9", "x\\equiv 2\\pmod 9", true],
  ["x\\equiv 2\\pmod 9", "x=9k+2", true],
  ["x\\equiv 2\\pmod 9", "x\\equiv 2\\pmod{18}", false],
  ["x\\equiv 2\\pmod 9", "x\\equiv 3\\pmod 9", false],
  ["x\\equiv 2\\pmod 9", "y\\equiv 2\\pmod 9", false],
  ["x\\equiv 1,5\\pmod 6", "x\\equiv 1\\pmod 6\\text{ or }x\\equiv 5\\pmod 6", true],
  ["x\\equiv 1,5\\pmod 6", "x\\equiv 1\\pmod 6", false],
  ["x\\equiv 0,2\\pmod 4", "x\\equiv 0\\pmod 2", true],
])("%s against %s: %s", (gold, answer, equal) => {
  expect(verify(gold, `\\boxed{${answer}}`, "evaluation")).toBe(equal);
});
