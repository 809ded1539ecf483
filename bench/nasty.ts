/**
 * Inputs made to be slow, generated: families × sizes × the place where they stand. The same list every time.
 * bench/grade.ts times them, test/math/nasty.test.ts bounds the work they count.
 */
import type { PresetName } from "../src/math/index.js";

export interface Nasty {
  name: string;
  gold: string;
  prediction: string;
  preset: PresetName;
}

/** What is repeated. Characters, commands, words: whatever a pattern or a rule may stumble over. */
const units: string[] = [
  ..."7 x ( ) [ ] | ! ' ^ _ = < , ; : . - + / * & % $ { } \\ ~ # ? \" @".split(" "),
  ..." |\n|\t| \n |. |, | and | or |7 |7,000|,000|0.|x=|x<|x_|x^|f(|e7|1/|A |A) |(A)|the |answer |answer is |Answer: ".split(
    "|",
  ),
  ..."\\{|\\}|\\[|\\]|\\(|\\)|\\\\|\\$|\\%|\\,|\\!|$$|$x$|\\frac|\\frac{|\\frac12|\\sqrt|\\sqrt{|\\sqrt[3]{|\\boxed{".split(
    "|",
  ),
  ..."\\boxed{7}|\\boxed{7} and |\\fbox{|\\text{|\\text{a}|\\text{ or }|\\mathrm{cm}|\\left(|\\right)|\\pm|\\pm 1|\\infty".split(
    "|",
  ),
  ..."\\begin{cases}|\\begin{matrix}|\\begin{array}{c}|\\end{cases}|\\cup(1,2)|\\cdot|\\sin|\\sin x|\\log|\\ln(|\\sum_{k=1}^{9}|\\int".split(
    "|",
  ),
  ..."\\lim_{x\\to0}|\\binom{9}{4}|9!|\\overline{7}|.\\overline{3}|\\color{red}|\\phantom{7}|\\cancel|\\not|\\mod 7|\\pmod{7}".split(
    "|",
  ),
  ..."^{2}|^{-1}|_{7}|^\\circ|x^{2}+|(x+1)|2\\pi|\\sqrt{2}+|\\%|7%|7 cm |5 ft |10:|4:30 |a=1,|−|√|½|°|²|∞|é|😀|ع|答|\u200b|\u0301|\ud800|\0".split(
    "|",
  ),
];

const sizes = [40, 600, 2_400, 150_000];

/** Up to `size` characters of the unit, so that a longer unit is repeated less often. */
const fill = (unit: string, size: number): string => unit.repeat(Math.max(1, Math.floor(size / unit.length)));

type Frame = (body: string) => Omit<Nasty, "name">;

const frames: Record<string, Frame> = {
  "in the box": (body) => ({ gold: "7", prediction: `\\boxed{${body}}`, preset: "reward" }),
  "as the text": (body) => ({ gold: "7", prediction: body, preset: "evaluation" }),
  "before the box": (body) => ({ gold: "7", prediction: `${body}\\boxed{8}`, preset: "reward" }),
};

function* repeated(): Generator<Nasty> {
  for (const unit of new Set(units)) {
    for (const size of sizes) {
      for (const [place, frame] of Object.entries(frames))
        yield { name: `${JSON.stringify(unit)} × ${size} ${place}`, ...frame(fill(unit, size)) };
    }
  }
}

/** What is nested: an opening, the middle, a closing. */
const nests: [open: string, middle: string, close: string][] = [
  ["(", "7", ")"],
  ["{", "7", "}"],
  ["[", "7", "]"],
  ["\\{", "7", "\\}"],
  ["|", "7", "|"],
  ["\\left(", "x", "\\right)"],
  ["2^{", "2", "}"],
  ["\\sqrt{", "2", "}"],
  ["\\frac{1}{1+", "x", "}"],
  ["(x+", "1", ")^2"],
  ["\\sin(", "x", ")"],
  ["\\text{", "a", "}"],
  ["\\boxed{", "7", "}"],
  ["\\binom{", "9", "}{4}"],
  ["\\pm(1+", "1", ")"],
  ["\\sum_{k=1}^{300}(", "k", ")"],
  ["\\int_0^1(", "x", ")dx"],
  ["\\begin{pmatrix}", "7", "\\end{pmatrix}"],
  ["\\begin{cases}", "7", "\\end{cases}"],
  ["f(", "x", ")"],
];

function* nested(): Generator<Nasty> {
  for (const [open, middle, close] of nests) {
    for (const depth of [3, 8, 25, 300, 6_000]) {
      const body = `${open.repeat(depth)}${middle}${close.repeat(depth)}`;
      yield { name: `${open} nested ${depth} deep`, gold: "7", prediction: `\\boxed{${body}}`, preset: "reward" };
      const other = `${open.repeat(depth)}${middle}+1${close.repeat(depth)}`;
      yield {
        name: `${open} nested ${depth} deep, compared`,
        gold: body,
        prediction: `\\boxed{${other}}`,
        preset: "reward",
      };
    }
  }
}

/** One operation on ever larger things, compared with another of its size. */
const operations: Record<string, (n: number) => [gold: string, answer: string]> = {
  power: (n) => [`7^{${n}}`, `7^{${n}}+1`],
  "power of a decimal": (n) => [`1.0000001^{${n}}`, `1.0000002^{${n}}`],
  "power of a fraction": (n) => [`(\\frac{22}{7})^{${n}}`, `(\\frac{23}{7})^{${n}}`],
  "power of a sum": (n) => [`(x+1)^{${n}}`, `(x+2)^{${n}}`],
  "power of a root": (n) => [`(\\sqrt2+1)^{${n}}`, `(\\sqrt2+2)^{${n}}`],
  "power of a matrix": (n) => [
    `\\begin{pmatrix}2&1\\\\1&1\\end{pmatrix}^{${n}}`,
    `\\begin{pmatrix}2&1\\\\1&2\\end{pmatrix}^{${n}}`,
  ],
  "root of a power": (n) => [`\\sqrt{2^{${n}}+1}`, `\\sqrt{2^{${n}}+2}`],
  "large degree": (n) => [`\\sqrt[${n}]{2}`, `\\sqrt[${n + 1}]{2}`],
  "root of many digits": (n) => [
    `\\sqrt{${"7".repeat(Math.min(n, 6_000))}}`,
    `\\sqrt{${"7".repeat(Math.min(n, 6_000))}8}`,
  ],
  "cube root of many digits": (n) => [
    `\\sqrt[3]{${"7".repeat(Math.min(n, 1_900))}}`,
    `\\sqrt[3]{${"8".repeat(Math.min(n, 1_900))}}`,
  ],
  "many digits": (n) => ["7".repeat(Math.min(n, 5_900)), "8".repeat(Math.min(n, 5_900))],
  "fractions of many digits": (n) => [
    `\\frac{${"7".repeat(Math.min(n, 1_900))}}{${"3".repeat(Math.min(n, 1_900))}1}`,
    `\\frac{${"7".repeat(Math.min(n, 1_900))}}{${"3".repeat(Math.min(n, 1_900))}2}`,
  ],
  "sum of fractions": (n) => [many(n, (i) => `\\frac{1}{${i + 2}}`, "+"), many(n, (i) => `\\frac{1}{${i + 3}}`, "+")],
  "product of numbers": (n) => [many(n, (i) => `${i + 901}`, "\\cdot "), many(n, (i) => `${i + 902}`, "\\cdot ")],
  "sum of roots": (n) => [many(n, (i) => `\\sqrt{${i + 2}}`, "+"), many(n, (i) => `\\sqrt{${i + 3}}`, "+")],
  "sum of sines": (n) => [many(n, (i) => `\\sin(${i}x)`, "+"), many(n, (i) => `\\sin(${i + 1}x)`, "+")],
  polynomial: (n) => [many(n, (i) => `${i}x^{${i}}`, "+"), many(n, (i) => `${i}x^{${i + 1}}`, "+")],
  variables: (n) => [many(n, (i) => `\\sqrt{x_{${i}}}`, "+"), many(n, (i) => `\\sqrt{x_{${i + 1}}}`, "+")],
  list: (n) => [many(n, (i) => `${i}`, ","), many(n, (i) => `${n - i}`, ",")],
  "list of roots": (n) => [many(n, (i) => `\\sqrt{${i + 2}}`, ","), many(n, (i) => `\\sqrt{${n - i + 2}}`, ",")],
  "list of functions": (n) => [many(n, (i) => `\\sin ${i}x`, ","), many(n, (i) => `\\sin ${n - i}x`, ",")],
  "list of pairs": (n) => [many(n, (i) => `(${i},${i})`, ","), many(n, (i) => `(${n - i},${i})`, ",")],
  "list of equations": (n) => [many(n, (i) => `x=${i}`, ","), many(n, (i) => `x=${n - i}`, ",")],
  "list of plus-minus": (n) => [many(n, (i) => `\\pm ${i}`, ","), many(n, (i) => `\\pm ${n - i}`, ",")],
  "sum of plus-minus": (n) => [many(n, (i) => `\\pm ${i + 1}`, ""), many(n, (i) => `\\pm ${n - i}`, "")],
  union: (n) => [
    many(n, (i) => `(${2 * i},${2 * i + 1})`, "\\cup"),
    many(n, (i) => `[${2 * i},${2 * i + 1})`, "\\cup"),
  ],
  intersection: (n) => [many(n, (i) => `(0,${i + 1})`, "\\cap"), many(n, (i) => `(0,${i + 2})`, "\\cap")],
  inequalities: (n) => [many(n, (i) => `x\\ne ${i}`, ","), many(n, (i) => `x\\ne ${n - i}`, ",")],
  chain: (n) => [many(n, () => "x", "="), many(n, (i) => `${i}`, "=")],
  "chain that holds": (n) => ["5", many(n, () => "2+3", "=")],
  matrix: (n) => [matrix(n, (i) => `${i}`), matrix(n, (i) => `${i + 1}`)],
  "matrix of functions": (n) => [matrix(n, (i) => `\\sin ${i}x`), matrix(n, (i) => `\\sin ${i}y`)],
  determinant: (n) => [matrix(n, (i) => `${i}`, "vmatrix"), matrix(n, (i) => `${i + 1}`, "vmatrix")],
  factorial: (n) => [`${n}!`, `${n}!+1`],
  "factorial quotient": (n) => [`${n}`, `\\frac{${n}!}{${n - 1}!}`],
  binomial: (n) => [`\\binom{${2 * n}}{${n}}`, `\\binom{${2 * n}}{${n + 1}}`],
  "finite sum": (n) => [`\\sum_{k=1}^{${n}} \\frac{1}{k}`, `\\sum_{k=1}^{${n}} \\frac{1}{k+1}`],
  "sum of powers": (n) => [`\\sum_{k=1}^{${n}} k^{${n}}`, `\\sum_{k=0}^{${n}} (k+1)^{${n}}`],
  product: (n) => [`\\prod_{k=1}^{${n}} k`, `\\prod_{k=1}^{${n}} (k+1)`],
  integral: (n) => [`\\int_0^{${n}} \\sin(x^2) dx`, `\\int_0^{${n}} \\cos(x^2) dx`],
  "integral of a sum": (n) => [`\\int_0^1 (${many(n, (i) => `x^{${i}}`, "+")}) dx`, "1"],
  lcm: (n) => [`\\operatorname{lcm}(${many(n, (i) => `${i + 1}`, ",")})`, "1"],
  "gcd of powers": (n) => [`\\gcd(2^{${n}}, 6^{${n}})`, `2^{${n}}+1`],
  "remainder of powers": (n) => [`7^{${n}} \\bmod 1000007`, "1"],
  "logarithm of a power": (n) => [`\\log_2 2^{${n}}`, `${n}`],
  "sine of a large number": (n) => [`\\sin(10^{${n}})`, "0.5"],
  exponential: (n) => [`e^{${n}}`, `e^{${n}}+1`],
  "difference of roots": (n) => [`\\sqrt{10^{${n}}+1}`, `10^{${n / 2}}`],
  "continued fraction": (n) => [`${"1+\\frac{1}{".repeat(Math.min(n, 400))}2${"}".repeat(Math.min(n, 400))}`, "2"],
  "repeating decimal": (n) => [`0.\\overline{${"37".repeat(Math.min(n, 900))}}`, "\\frac{37}{99}"],
  "long decimal": (n) => [`0.${"3".repeat(Math.min(n, 1_900))}`, "\\frac13"],
  "exponent of a decimal": (n) => [`1e${n}`, `2e${n}`],
  "numeral with a base": (n) => [`${"1".repeat(Math.min(n, 5_900))}_2`, `${"1".repeat(Math.min(n, 5_900))}_3`],
};

const many = (n: number, item: (i: number) => string, joint: string): string =>
  Array.from({ length: Math.min(n, 1_000) }, (_, i) => item(i)).join(joint);

function matrix(n: number, cell: (i: number) => string, environment = "pmatrix"): string {
  const side = Math.min(n, 40);
  const rows = Array.from({ length: side }, (_, i) => many(side, (j) => cell(i * side + j), "&"));
  return `\\begin{${environment}}${rows.join("\\\\")}\\end{${environment}}`;
}

function* computed(): Generator<Nasty> {
  for (const [name, pair] of Object.entries(operations)) {
    for (const n of [3, 12, 40, 150, 1_000, 5_900, 1_000_000]) {
      const [gold, answer] = pair(n);
      yield { name: `${name}, ${n}`, gold, prediction: `\\boxed{${answer}}`, preset: "reward" };
    }
  }
}

export const nasty: readonly Nasty[] = [...repeated(), ...nested(), ...computed()];
