/**
 * Verdicts by kind of answer. Every line is own material: gold, answer (put into a box), whether they are equal.
 * Pins: notation never decides, values and names do; sets have no order, tuples have.
 */
import { describe, expect, test } from "vitest";
import { explain, verify } from "../../src/math/index.js";

type Line = [gold: string, answer: string, equal: boolean];

const tables: Record<string, Line[]> = {
  numbers: [
    ["1234", "1,234", true],
    ["1234", "1{,}234", true],
    ["1234", "1\\,234", true],
    ["1234", "1 234", true],
    ["1234567", "1,\\!234,\\!567", true],
    ["1234", "1,235", false],
    ["12", "012", true],
    ["12", "+12", true],
    ["12", "-12", false],
    ["12", "12.", true],
    ["0.5", ".5", true],
    ["2.50", "2.5", true],
    ["2.50", "2.51", false],
    ["0.033", "0,033", true],
    ["12", "１２", true],
    ["-5", "−5", true],
    ["12", "\\text{12}", true],
    ["12", "\\mathbf{12}", true],
  ],
  "scientific notation": [
    ["4.4e7", "44000000", true],
    ["4.4e7", "4.4\\times10^{7}", true],
    ["4.4e7", "4.4 \\cdot 10^7", true],
    ["4.4e7", "4.4e+7", true],
    ["4.4e-3", "0.0044", true],
    ["4.4e7", "83.7236", false],
    ["4.4e7", "4.4e8", false],
    ["3e10", "3e10+1", false],
  ],
  percent: [
    ["0.2", "20\\%", true],
    ["20\\%", "20%", true],
    ["20\\%", "\\frac{1}{5}", true],
    ["20\\%", "20\\text{ percent}", true],
    ["20\\%", "20", false],
    ["37.5\\%", "75/2\\%", true],
  ],
  fractions: [
    ["\\frac{3}{4}", "3/4", true],
    ["\\frac{3}{4}", "\\frac34", true],
    ["\\frac{3}{4}", "\\dfrac{6}{8}", true],
    ["\\frac{3}{4}", "{3 \\over 4}", true],
    ["\\frac{3}{4}", "3:4", true],
    ["\\frac{3}{4}", "3 \\div 4", true],
    ["\\frac{3}{40}", "\\frac 3{40}", true],
    ["\\frac{30}{4}", "\\frac 30 {4}", true],
    ["\\frac{3}{4}", "-\\frac{-3}{4}", true],
    ["\\frac{3}{4}", "\\frac{4}{3}", false],
    ["\\frac{9}{2}", "4\\frac{1}{2}", true],
    ["\\frac{9}{2}", "4\\frac12", true],
    ["\\frac{9}{2}", "4 1/2", true],
    ["-\\frac{9}{2}", "-4\\frac{1}{2}", true],
    ["\\frac{2x}{3}", "2\\frac{x}{3}", true],
    ["\\frac{1}{6}", "0.1\\overline{6}", true],
    ["0.\\overline{09}", "\\frac{1}{11}", true],
  ],
  "decimals of exact values": [
    ["\\frac{2}{3}", "0.666667", true],
    ["\\frac{2}{3}", "0.666666", false],
    ["\\frac{2}{3}", "0.67", false],
    ["\\sqrt{7}", "2.645751", true],
    ["\\sqrt{7}", "2.6457513110646", true],
    ["\\sqrt{7}", "2.65", false],
    ["3\\pi", "9.424778", true],
    ["3\\pi", "9.42", false],
    ["\\frac{1}{8}", "0.125", true],
    ["0.11", "0.11000000000000001", true],
    ["0", "0.000000", true],
    ["10^{-9}", "0.000000", false],
  ],
  "roots and powers": [
    ["\\sqrt{18}", "3\\sqrt2", true],
    ["\\sqrt{18}", "18^{1/2}", true],
    ["\\sqrt[3]{16}", "2\\sqrt[3]{2}", true],
    ["\\frac{1}{\\sqrt{2}}", "\\frac{\\sqrt{2}}{2}", true],
    ["\\sqrt{5+2\\sqrt{6}}", "\\sqrt2+\\sqrt3", true],
    ["2^{700}", "4^{350}", true],
    ["2^{700}", "2^{700}+1", false],
    ["3^{100000}", "9^{50000}", true],
    ["3^{100000}", "9^{50000}+1", false],
    ["123456789012345\\pi", "123456789012346\\pi", false],
  ],
  functions: [
    ["\\sin^2 x+\\cos^2 x", "1", true],
    ["\\sin 2x", "2\\sin x\\cos x", true],
    ["\\sin 2x", "2\\sin x", false],
    ["\\arctan 3", "\\tan^{-1}(3)", true],
    ["\\log_2 8", "3", true],
    ["\\ln 9", "2\\ln 3", true],
    ["\\log 100", "2", true],
    ["3\\ln 2", "\\log 8", true],
    ["\\ln 9", "\\ln 8", false],
    ["e^{x+1}", "e \\cdot \\exp(x)", true],
    ["|x-3|", "|3-x|", true],
    ["|x-3|", "x-3", false],
    ["\\sqrt{x^2}", "x", false],
    ["\\sqrt{x}\\sqrt{y}", "\\sqrt{xy}", true],
    ["(-8)^{1/3}", "-2", true],
    ["\\cos 20^\\circ", "\\sin 70^\\circ", true],
    ["\\cos 20^\\circ", "\\sin 20^\\circ", false],
    ["\\binom{9}{4}", "126", true],
    ["5!", "120", true],
    ["n!", "n \\cdot (n-1)!", true],
    ["\\Gamma(n+1)", "n!", true],
    ["\\lfloor 7/2 \\rfloor", "3", true],
    ["\\sum_{k=1}^{10} k^2", "385", true],
    ["\\int_0^2 x^3 dx", "4", true],
    ["f(x+1)", "f(1+x)", true],
    ["f(2)=1", "f(3)=1", false],
  ],
  algebra: [
    ["(x+1)^2", "x^2+2x+1", true],
    ["(x+1)^2", "x^2+2x+2", false],
    ["\\frac{x^2-1}{x-1}", "x+1", true],
    ["2ab", "2ba", true],
    ["x+y", "x-y", false],
    ["x^2", "t^2", false],
    ["x_1+x_2", "x_{2}+x_{1}", true],
    ["x_1", "x_2", false],
    ["\\hat{x}", "x", false],
    ["\\sin x+C", "c+\\sin x", true],
    ["C+c", "2c", false],
    ["(x+y)^{60}", "(y+x)^{60}", true],
    ["e^{i\\pi}", "-1", true],
    ["2+3i", "3i+2", true],
    ["2+3i", "2-3i", false],
    ["\\frac{1}{1+i}", "\\frac{1-i}{2}", true],
  ],
  units: [
    ["15", "15\\text{ cm}", true],
    ["15\\text{ cm}", "15", true],
    ["15\\text{ cm}^2", "15\\ \\mathrm{cm^2}", true],
    ["15\\text{ cm}^2", "15\\text{ cm}^3", false],
    ["15\\text{ cm}", "15\\text{ m}", false],
    ["2\\text{ m}", "200\\text{ cm}", true],
    ["36\\text{ km/h}", "10\\text{ m/s}", true],
    ["\\$12.50", "12.5", true],
    ["\\$12.50", "12.50\\text{ dollars}", true],
    ["40^\\circ", "40", true],
    ["40^\\circ", "40\\text{ degrees}", true],
    ["40^\\circ", "40°", true],
    ["6m", "6", true],
    ["6x", "6", false],
    ["14", "14 red marbles", true],
    ["14", "14 or more", false],
    ["14", "14\\text{ or more}", false],
    ["14", "14 plus one", false],
    ["14", "14\\text{ million}", false],
    ["14000000", "14\\text{ million people}", true],
    ["14000000", "14 million", true],
  ],
  text: [
    ["\\text{Tuesday}", "tuesday", true],
    ["\\text{Tuesday}", "\\text{ Tuesday.}", true],
    ["\\text{Tuesday}", "\\text{Thursday}", false],
    ["no real roots", "\\text{No real roots}", true],
    ["\\text{(B)}", "B", true],
    ["B", "(B)", true],
    ["B", "C", false],
    ["no", "on", false],
    ["B", "(B) 12", true],
    ["B", "\\text{B. } twelve", true],
    ["B", "A) B", false],
  ],
  "sets and lists": [
    ["2,5,8", "8, 2, 5", true],
    ["2,5,8", "\\{5,8,2\\}", true],
    ["2,5,8", "2 \\text{ and } 5 \\text{ and } 8", true],
    ["2,5,8", "x=2 \\text{ or } x=5 \\text{ or } x=8", true],
    ["2,5,8", "x \\in \\{2,5,8\\}", true],
    ["2,5,8", "x_1=2, x_2=5, x_3=8", true],
    ["2,5,8", "2,5", false],
    ["2,5,8", "2,5,8,9", false],
    ["2,5,8", "2,5,5,8", true],
    ["\\{4\\}", "4", true],
    ["\\emptyset", "\\{\\}", true],
    ["\\emptyset", "0", false],
    ["\\pm 3", "3, -3", true],
    ["2 \\pm \\sqrt3", "2-\\sqrt3, 2+\\sqrt3", true],
    ["2 \\pm \\sqrt3", "2+\\sqrt3", false],
    ["100,200", "100, 200", true],
  ],
  tuples: [
    ["(2,5)", "\\left( 2, 5 \\right)", true],
    ["(2,5)", "(5,2)", false],
    ["(2,5)", "\\langle 2,5\\rangle", true],
    ["(2,5)", "(x,y)=(2,5)", true],
    ["(2,5)", "x=2, y=5", true],
    ["(2,5)", "2,5", true],
    ["(2,5)", "(2;5)", true],
    ["(2,5)", "(2,5,0)", false],
    ["(2,5)", "[2,5]", false],
    ["(2,5)", "(2,5]", false],
    ["(1,2,3)", "[1,2,3]", true],
    ["(0.5, \\frac{1}{3})", "(\\frac12, \\frac{2}{6})", true],
    ["(1,2),(3,4)", "(3,4),(1,2)", true],
    ["(1,2),(3,4)", "(2,1),(4,3)", false],
  ],
  "intervals and inequalities": [
    ["[2,7)", "2 \\le x < 7", true],
    ["[2,7)", "7 > x \\geq 2", true],
    ["[2,7)", "\\{x \\mid 2 \\le x < 7\\}", true],
    ["[2,7)", "(2,7)", false],
    ["[2,7)", "2 < x < 7", false],
    ["(-\\infty,3]", "x \\leq 3", true],
    ["(-\\infty,1)\\cup(4,\\infty)", "x<1 \\text{ or } x>4", true],
    ["(-\\infty,1)\\cup(4,\\infty)", "(4,\\infty) \\cup (-\\infty,1)", true],
    ["(1,2]\\cup(2,3)", "(1,3)", true],
    ["(1,2)\\cup(2,3)", "(1,3)", false],
    ["\\mathbb{R}", "(-\\infty,\\infty)", true],
    ["(-2,2)", "|x| < 2", true],
    ["(-\\infty,-2]\\cup[8,\\infty)", "|x-3| \\ge 5", true],
    ["(-\\infty,5)\\cup(5,\\infty)", "\\mathbb{R} \\setminus \\{5\\}", true],
    ["(-\\infty,5)\\cup(5,\\infty)", "x \\ne 5", true],
    ["x > 4", "2x - 8 > 0", true],
    ["x > 4", "-x < -4", true],
    ["x > 4", "y > 4", false],
    ["x > 4", "x < 4", false],
    ["x > 4", "x \\ge 4", false],
  ],
  equations: [
    ["5", "x = 5", true],
    ["x=5", "5", true],
    ["x=5", "y=5", false],
    ["x=5", "x", false],
    ["7=2a+b", "2a+b", false],
    ["y=2x+1", "2x-y+1=0", true],
    ["y=2x+1", "2y = 4x+2", true],
    ["y=2x+1", "2x+1", true],
    ["y=2x+1", "y=2x-1", false],
    ["\\frac{1}{2}", "x=\\frac{2}{4}=\\frac{1}{2}", true],
    ["\\frac{2}{3}", "\\frac{2}{3} \\approx 0.667", true],
    ["0", "x-3=0", false],
    ["\\angle ABC = 40^\\circ", "40", true],
    ["f^{-1}(x) = x+2", "x+2", true],
    ["\\frac{dy}{dx} = 2x", "2x", true],
    ["xy = 6", "6", false],
    ["2:3:4", "4:6:8", true],
    ["2:3:4", "2:3:5", false],
    ["x^2+y^2=9", "9=y^2+x^2", true],
    ["x^2+y^2=9", "x^2+y^2=3", false],
  ],
  matrices: [
    ["\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", "\\begin{bmatrix}1 & 2\\\\ 3 & 4\\end{bmatrix}", true],
    ["\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", "\\begin{pmatrix}1&2\\\\3&5\\end{pmatrix}", false],
    ["\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", "\\begin{vmatrix}1&2\\\\3&4\\end{vmatrix}", false],
    ["\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{pmatrix}1&2\\end{pmatrix}", false],
    ["\\begin{pmatrix}2\\\\4\\end{pmatrix}", "2\\begin{pmatrix}1\\\\2\\end{pmatrix}", true],
  ],
  bases: [
    ["213_5", "213_{5}", true],
    ["213_5", "213_{(5)}", true],
    ["213_5", "213_{\\text{five}}", true],
    ["213_5", "213", true],
    ["213_5", "58", false],
    ["213_5", "214_5", false],
    ["12_8", "1010_2", true],
    ["213_5", "213 \\text{ base } 5", true],
    ["213_5", "213 \\text{ (base 6)}", false],
  ],
  "layout and units of other hands": [
    ["44", "44 (candles)", true],
    ["70 \\text{ in}", "70 (inches)", true],
    ["70 \\text{ in}", "71 (inches)", false],
    ["3x", "3(x)", true],
    ["66\\text{ in}", "5 \\text{ ft } 6 \\text{ in}", true],
    ["66\\text{ in}", "5 \\text{ ft } 7 \\text{ in}", false],
    ["2\\text{ hours}", "1 \\text{ hour} + 60 \\text{ minutes}", true],
    ["15.5^\\circ", "15^\\circ 30'", true],
    ["15.5^\\circ", "15^\\circ 31'", false],
    ["63^{\\circ} 45^{\\prime}", "63.75^\\circ", true],
    ["1\\frac{1}{100}^\\circ", "1^\\circ 0' 36''", true],
    ["90", "90^o", true],
    ["x", "x^o", false],
    ["3:30 p.m.", "3:30 \\text{ PM}", true],
    ["3:30 p.m.", "3:30 a.m.", false],
    ["5", "\\textcolor{blue}{5}", true],
    ["5", "\\hspace{1cm} 5", true],
    ["4.4e7", "4.4\\mathrm{E}7", true],
    ["42x\\sqrt{5}", "42xsqrt(5)", true],
    ["I(0)", "I\\left(0\\right)", true],
    ["12", "\\pounds 12", true],
  ],
  "names for points and sets": [
    ["(3,4)", "P(3,4)", true],
    ["(3,4)", "P(4,3)", false],
    ["\\{1,2\\}", "S = \\{2,1\\}", true],
    ["(0,1)\\cup(2,3)", "x = (0,1)\\cup(2,3)", true],
    ["[-2,2]", "-2,2", false],
    ["0", "3 - 3 = 0", true],
    ["p(x) = x+1", "x+1", true],
    ["3:4", "3 \\text{ to } 4", true],
    ["0.\\overline{3}", "0.333333", false],
    ["0.\\overline{3}", "\\frac{1}{3}", true],
    ["7 \\pmod{11}", "x \\equiv 7 \\pmod{11}", true],
    ["\\text{(C)}", "\\text{Option C}", true],
    ["\\text{(C)}", "\\text{Option D}", false],
    ["ABD", "A, B, D", true],
    ["ABD", "A, B, C", false],
    ["ABD", "\\text{A and B}", false],
  ],
};

describe.each(Object.entries(tables))("%s", (_, lines) => {
  test.each(lines)("%s against %s: %s", (gold, answer, equal) => {
    expect(verify(`$${gold}$`, `\\boxed{${answer}}`)).toBe(equal);
  });
});

test("a verdict says what was found, how it was read and which rule decided", () => {
  expect(explain("\\frac{1}{2}", "so \\boxed{x = 0.5}")).toEqual({
    correct: true,
    verdict: "equal",
    rule: "assigned value: exact number",
    gold: "div(1, 2)",
    prediction: "x = 1/2",
    extracted: { text: "x = 0.5", how: "box" },
  });
});

test("past a limit the verdict is undecided and counts as wrong", () => {
  expect(explain("9^{9^{9^9}}", "\\boxed{9^{9^{9^9}}+1}")).toMatchObject({ correct: false, verdict: "undecided" });
  expect(verify("9^{9^{9^9}}", "\\boxed{9^{9^{9^9}}}")).toBe(true);
});

describe("options", () => {
  test("decimals: how many digits a rounded decimal needs", () => {
    expect(verify("\\pi", "\\boxed{3.14}", { decimals: 2 })).toBe(true);
    expect(verify("\\pi", "\\boxed{3.15}", { decimals: 2 })).toBe(false);
    expect(verify("\\pi", "\\boxed{3.14159265}", { decimals: Number.POSITIVE_INFINITY })).toBe(false);
  });

  test("units: ignore lets different units pass", () => {
    expect(verify("3\\text{ m}", "\\boxed{3\\text{ s}}", { units: "ignore" })).toBe(true);
  });

  test("letterCase: keep tells N from n", () => {
    expect(verify("\\frac{N}{2}", "\\boxed{\\frac{n}{2}}")).toBe(true);
    expect(verify("\\frac{N}{2}", "\\boxed{\\frac{n}{2}}", { letterCase: "keep" })).toBe(false);
  });

  test.each([
    ["\\emptyset", "\\text{No real solutions.}"],
    ["\\text{no solution}", "\\emptyset"],
    ["(-\\infty,\\infty)", "\\text{all real numbers}"],
    ["\\text{DNE}", "\\text{does not exist}"],
    ["5", "\\text{The answer is } 5"],
  ])("words: meaning reads %s in %s", (gold, answer) => {
    expect(verify(gold, `\\boxed{${answer}}`, { words: "meaning" })).toBe(true);
    expect(verify(gold, `\\boxed{${answer}}`, { words: "literal" })).toBe(false);
    expect(verify("0", `\\boxed{${answer}}`, { words: "meaning" })).toBe(false);
  });

  test("manyBoxes: last takes the last box alone", () => {
    const text = "\\boxed{2} and \\boxed{5}";
    expect(verify("2,5", text)).toBe(true);
    expect(verify("5", text, { manyBoxes: "last" })).toBe(true);
  });
});
