/** Where the answer of a completion is found, by preset. */
import { describe, expect, test } from "vitest";
import { evaluation, extract, reward, verify } from "../../src/math/index.js";

const filler = "and this sentence is long enough to keep the two apart, as it goes on for a while";

describe("reward", () => {
  test.each<[string, string[] | undefined]>([
    ["\\boxed{7}", ["7"]],
    [`first \\boxed{1}, then, ${filler} \\boxed{2}`, ["2"]],
    ["\\boxed{1} and \\boxed{2}", ["1", "2"]],
    ["$\\boxed{1}$, $\\boxed{2}$", ["1", "2"]],
    ["\\boxed{\\frac{1}{\\sqrt{2}}}", ["\\frac{1}{\\sqrt{2}}"]],
    ["\\boxed{\\boxed{3}}", ["\\boxed{3}"]],
    ["\\boxed{\\{1, 2\\}}", ["\\{1, 2\\}"]],
    ["\\\\boxed{7}", ["7"]],
    ["\\boxed{7", undefined],
    ["\\boxed{broken and \\boxed{7}", ["7"]],
    ["\\fbox{7}", undefined],
    ["The final answer is $7$.", ["7"]],
    ["**Answer:** $7$", ["7"]],
    ["Answer: \\( 7 \\)", ["7"]],
    ["The answer is $1$. No, the answer is $2$.", ["2"]],
    ["The answer is $\\$7$.", ["\\$7"]],
    ["the answer is \\frac{1}{7}.", ["\\frac{1}{7}"]],
    ["The answer is 7.", undefined],
    ["We get $7$.", undefined],
    ["\\[ 7 \\]", undefined],
    ["", undefined],
  ])("%s", (text, parts) => {
    expect(extract(text, reward)?.parts).toEqual(parts);
  });
});

describe("evaluation", () => {
  test.each<[string, string[] | undefined, string | undefined]>([
    ["\\fbox{7}", ["7"], "box"],
    ["\\boxed {7}", ["7"], "box"],
    ["The answer is 7.", ["7"], "anchored text"],
    ["The answer is 3.5.", ["3.5"], "anchored text"],
    ["We get $6$ or rather $7$.", ["7"], "formula"],
    ["so\n\\[ x = 7 \\]", ["x = 7"], "formula"],
    ["There are 6 of them, then 1,234 more", ["1,234"], "number"],
    ["7", ["7"], "text"],
    ["", undefined, undefined],
  ])("%s", (text, parts, how) => {
    const found = extract(text, evaluation);
    expect(found?.parts).toEqual(parts);
    expect(found?.how).toBe(how);
  });
});

describe("prose", () => {
  test.each<[string, string]>([
    ["34", "Final Answer: The largest such $n$ is 34."],
    ["20\\%", "With $v = 3$ the price falls by 20%."],
    ["\\frac{7}{9}", "Final answer: the ratio of $a$ to $b$ is $\\frac{7}{9}$."],
    ["72", "Natalia sold 48/2 = 24 clips in May.\n#### 72"],
    ["17", "所以一共有8 + 9 = 17只鸟。"],
    ["5", "因此，答案是**5**页。"],
    ["41", "لذا فإن ناتج العملية 50 - 9 هو **41**."],
    ["86", "इसलिए, दुकान में अब 86 किताबें हैं।"],
    ["12", "La réponse est 12."],
    ["12", "Die Antwort lautet 12."],
    ["C", "The answer is C, because A and B do not hold."],
    ["C", "Answer: **C**"],
    ["3.75", "Prix : 3,75 euros"],
    ["1000.99", "1000,99"],
    ["1,2", "\\boxed{1} for part (a) and \\boxed{2} for part (b)"],
    ["\\left(1, \\frac{\\pi}{2}\\right)", "so $\\\\boxed{\\\\left( 1, \\\\frac{\\\\pi}{2} \\\\right)}.$"],
    ["-3 \\le x \\le 4", "$-3 \\\\le x \\\\le 4$"],
  ])("%s is said by %s", (gold, text) => {
    expect(verify(gold, text, "evaluation")).toBe(true);
  });

  test.each<[string, string]>([
    ["5", "The answer is 5 or more."],
    ["B", "The answer is C, not B."],
    ["1,2", "1.2"],
  ])("%s is not said by %s", (gold, text) => {
    expect(verify(gold, text, "evaluation")).toBe(false);
  });
});
