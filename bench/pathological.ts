/**
 * Answers made to break a grader: towers, factorials of factorials, deep nesting, broken LaTeX, huge texts.
 * Shared by bench/grade.ts, which times them, and test/math, which bounds them.
 */
export interface Pathological {
  name: string;
  gold: string;
  prediction: string;
}

const boxed = (name: string, answer: string, gold = "7"): Pathological => ({
  name,
  gold,
  prediction: `\\boxed{${answer}}`,
});
const text = (name: string, prediction: string, gold = "7"): Pathological => ({ name, gold, prediction });
const times = (unit: string, count: number): string => unit.repeat(count);

export const pathological: Pathological[] = [
  boxed("tower of powers", "9^{9^{9}}"),
  boxed("tower of four", "9^{9^{9^{9}}}"),
  boxed("tower against itself plus one", "9^{9^{9^{9}}}+1", "9^{9^{9^{9}}}"),
  boxed("googolplex", "10^{10^{100}}"),
  boxed("negative tower", "2^{-2^{2^{2^{2^{2}}}}}"),
  boxed("tower of 50 in braces", `${times("2^{", 50)}2${times("}", 50)}`),
  boxed("tower of 2,000 in braces", `${times("2^{", 2000)}2${times("}", 2000)}`),
  boxed("factorial of a factorial", "(9!)!"),
  boxed("factorials of factorials", "((((9!)!)!)!)!"),
  boxed("1,000 exclamation marks", `9${times("!", 1000)}`),
  boxed("large factorial", "100000!"),
  boxed("factorial quotient", "\\frac{20000!}{19999!}", "20000"),
  boxed("large binomial", "\\binom{1000000}{500000}"),
  boxed("power with a long exponent", `2^{${times("9", 1500)}}`),
  boxed("repeated squaring", `${times("(", 40)}x+1${times(")^2", 40)}`, "x^2"),
  boxed("large root", `\\sqrt[${times("9", 100)}]{${times("8", 900)}}`),
  boxed("product of 500 brackets", times("(x+1)", 500), "(x+1)^{500}"),
  boxed("sum of 900 terms", Array.from({ length: 900 }, (_, i) => `x_{${i}}`).join("+"), "x"),
  boxed("2,000 nested parentheses", `${times("(", 2000)}7${times(")", 2000)}`),
  boxed("2,000 open parentheses", times("(", 2000)),
  boxed("2,000 nested fractions", `${times("\\frac{1}{1+", 500)}1${times("}", 500)}`),
  boxed("2,000 nested roots", `${times("\\sqrt{", 800)}7${times("}", 800)}`),
  boxed("2,000 minus signs", `${times("-", 2000)}7`),
  boxed("2,000 bars", times("|", 2000)),
  boxed("2,000 nested sets", `${times("\\{", 1000)}7${times("\\}", 1000)}`),
  boxed("400 plus-minus signs", Array.from({ length: 400 }, () => "\\pm 1").join(" ")),
  boxed("20 nested plus-minus lists", `\\{${times("\\pm(1 \\pm ", 20)}1${times(")", 20)}\\}`),
  boxed(
    "1,000 elements",
    Array.from({ length: 1000 }, (_, i) => i).join(", "),
    Array.from({ length: 1000 }, (_, i) => 999 - i).join(", "),
  ),
  boxed(
    "400 irrational elements",
    Array.from({ length: 400 }, (_, i) => `\\sqrt{${i + 2}}`).join(", "),
    Array.from({ length: 400 }, (_, i) => `\\sqrt{${i + 3}}`).join(", "),
  ),
  boxed(
    "60 by 60 matrix",
    `\\begin{pmatrix}${Array.from({ length: 60 }, () => Array(60).fill("1").join("&")).join("\\\\")}\\end{pmatrix}`,
  ),
  boxed(
    "300 intervals",
    Array.from({ length: 300 }, (_, i) => `(${2 * i},${2 * i + 1})`).join("\\cup"),
    Array.from({ length: 300 }, (_, i) => `(${2 * i},${2 * i + 1}]`).join("\\cup"),
  ),
  boxed("sum to a billion", "\\sum_{k=1}^{1000000000} k", "500000000500000000"),
  boxed("nested sums", `${times("\\sum_{k=1}^{400} ", 6)}k`),
  boxed("tangent of a huge angle", `\\tan(${times("9", 300)})`),
  boxed("cancellation", "10^{300}+1-10^{300}+\\pi", "1+\\pi"),
  boxed("a number of 5,000 digits", times("7", 5000)),
  boxed("a number of 100,000 digits", times("7", 100_000), times("7", 100_000)),
  boxed("100,000 digits after the point", `0.${times("3", 100_000)}`, "1/3"),
  boxed("exponent of 99999", "1e99999"),
  boxed("thousands without end", `1${times(",000", 20_000)}`),
  text("a text of 100 KB", times("so we compute the answer again and ", 3000)),
  text("100 KB of dollars", times("$", 100_000)),
  text("100 KB of pairs of dollars", times("$ $x", 25_000)),
  text("100 KB of backslashes", times("\\", 100_000)),
  text("100 KB of open braces", `\\boxed{${times("{", 100_000)}`),
  text("100 KB of close braces", `\\boxed{${times("}", 100_000)}`),
  text("100 KB of spaces after the anchor", `the answer is${times(" ", 100_000)}`),
  text("12,000 boxes", times("\\boxed{7} and ", 12_000)),
  text("12,000 open boxes", times("\\boxed{", 12_000)),
  text("12,000 nested boxes", `${times("\\boxed{", 12_000)}7${times("}", 12_000)}`),
  text("20,000 anchors", times("the answer is: ", 20_000)),
  text("20,000 open formulas", times("answer is \\( ", 20_000)),
  text("unbalanced braces", "\\boxed{\\frac{1}{2}"),
  text("unbalanced commands", "\\boxed{\\frac{}{}\\sqrt{}\\left(\\right]}"),
  text("null bytes", `\\boxed{7${times("\0", 5000)}}`),
  text("lone surrogates", `\\boxed{7${times("\ud800", 2000)}}`),
  text("emoji", `\\boxed{${times("\u{1f600}", 2000)}}`),
  text("combining marks", `\\boxed{7${times("\u0301", 5000)}}`),
  text("right-to-left marks", `\\boxed{\u202e7\u202c}`),
  text("empty", ""),
  text("only a box", "\\boxed{}"),
  boxed("commas", times(",", 5000)),
  boxed("carets", times("^", 5000)),
  boxed("underscores", times("x_", 2500)),
  boxed("letters", times("a", 5000)),
  boxed("long command", `\\${times("a", 5000)}`),
  boxed("begin without end", times("\\begin{matrix}", 300)),
  boxed("equals signs", times("x=", 2000)),
  boxed("inequalities", times("x<", 2000)),
  boxed("unknown functions", `${times("f(", 50)}x${times(")", 50)}`, `${times("f(", 50)}y${times(")", 50)}`),
  boxed(
    "40 variables",
    Array.from({ length: 40 }, (_, i) => `x_{${i}}^{${i}}`).join("+"),
    Array.from({ length: 40 }, (_, i) => `x_{${39 - i}}^{${39 - i}}`).join("+"),
  ),
  boxed("logarithms of towers", `\\log ${times("\\log ", 40)} 10^{10^{10}}`),
  boxed("spaces between digits", times("7 ", 3000)),
  boxed("text commands", times("\\text{a}", 700)),
  boxed("words", times("words and more words ", 280)),
];
