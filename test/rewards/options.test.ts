// What the originals do not have: options beyond the original's, golds that cannot be parsed, names.
import { describe, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import { createReward, type RewardInput, type RewardOptions, type Verdict } from "../../src/rewards/index.js";

function input(completion: string, row: Record<string, unknown> = { solution: "\\boxed{7}" }, tokens = 0): RewardInput {
  return { completion, completionIds: new Array<number>(tokens).fill(0), prompt: "3+4?", row, truncated: false };
}
// Letters behind the box would be factors of the answer.
const right = (length: number, tokens?: number): RewardInput =>
  input("\\boxed{7}".padEnd(length, " "), undefined, tokens);

async function scores(name: string, options: Partial<RewardOptions>, batch: RewardInput[], verdict?: Verdict) {
  return createReward(name, options, verdict && (() => verdict)).score(batch);
}

describe("cosine", () => {
  // Ends, middle and the quirk beyond the end, from the formula: 1 → ½ for correct, 0 → −½ for wrong.
  const cases: [string, Partial<RewardOptions>, Verdict, number, number][] = [
    ["correct, empty", {}, "correct", 0, 1],
    ["correct, half way", {}, "correct", 500, 0.75],
    ["correct, at the end", {}, "correct", 1000, 0.5],
    ["correct, twice the end: turned back", {}, "correct", 2000, 1],
    ["correct, twice the end, clamped", { cosine_clamp: true }, "correct", 2000, 0.5],
    ["wrong, empty", {}, "wrong", 0, 0],
    ["wrong, at the end", {}, "wrong", 1000, -0.5],
    ["wrong, twice the end, clamped", { cosine_clamp: true }, "wrong", 2000, -0.5],
    ["no gold", {}, "no_gold", 500, 1],
  ];
  it.each(cases)("%s", async (_name, options, verdict, length, expected) => {
    expect(await scores("cosine", options, [input("x".repeat(length))], verdict)).toEqual([
      expect.closeTo(expected, 12),
    ]);
  });

  it("counts tokens when told", async () => {
    const options = { cosine_length_unit: "tokens", cosine_max_len: 100 } as const;
    expect(await scores("cosine", options, [right(9, 100), right(9, 0)])).toEqual([
      expect.closeTo(0.5, 12),
      expect.closeTo(1, 12),
    ]);
  });
});

describe("length", () => {
  it("compares within a prompt when told", async () => {
    const batch = [right(10), right(20), right(100), right(200)].map((one, i) => ({
      ...one,
      prompt: i < 2 ? "a" : "b",
    }));
    expect(await scores("length", {}, batch)).toEqual([
      0.5,
      expect.closeTo(0.5 - 10 / 190, 12),
      expect.closeTo(0.5 - 90 / 190, 12),
      -0.5,
    ]);
    expect(await scores("length", { length_over: "prompt" }, batch)).toEqual([0.5, -0.5, 0.5, -0.5]);
  });

  it("gives a wrong answer no bonus", async () => {
    expect(await scores("length", {}, [input("x"), input("xx"), input("xxx")])).toEqual([0, 0, -0.5]);
  });

  it("is 0 when all have one length, and counts tokens when told", async () => {
    expect(await scores("length", {}, [right(20, 1), right(20, 2)])).toEqual([0, 0]);
    expect(await scores("length", { length_unit: "tokens" }, [right(20, 1), right(20, 2)])).toEqual([0.5, -0.5]);
  });
});

describe("gold", () => {
  const unreadable = { solution: "?!" };
  it.each(["accuracy", "cosine"])("%s: unparseable golds as told", async (name) => {
    expect(await scores(name, {}, [input("\\boxed{7}", unreadable)])).toEqual([1]);
    expect(await scores(name, { gold_unparseable: "null" }, [input("\\boxed{7}", unreadable)])).toEqual([null]);
    await expect(scores(name, { gold_unparseable: "error" }, [input("", unreadable)])).rejects.toThrow(/"\?!" cannot/);
  });

  it("length: unparseable golds count as correct, or are left out", async () => {
    const batch = [input("a", unreadable), input("abc", unreadable)];
    expect(await scores("length", {}, batch)).toEqual([0.5, -0.5]);
    expect(await scores("length", { gold_unparseable: "null" }, batch)).toEqual([null, null]);
  });

  it.each<[string, Record<string, unknown>, Partial<RewardOptions>, number]>([
    ["solution with a box wins", { solution: "so \\boxed{7}", answer: "8" }, {}, 1],
    ["answer where the solution has no box", { solution: "3 + 4 #### 7", answer: "7" }, {}, 1],
    ["solution alone", { solution: "7" }, {}, 1],
    ["a number", { answer: 7 }, {}, 1],
    ["a column named", { solution: "\\boxed{8}", gold: "7" }, { gold_column: "gold" }, 1],
    ["wrong", { answer: "8" }, {}, 0],
  ])("%s", async (_name, row, options, expected) => {
    expect(await scores("accuracy", options, [input("\\boxed{7}", row)])).toEqual([expected]);
  });

  it("a row without one is a clear error", async () => {
    const bare = { ...input("", { problem: "?" }), index: 4 };
    await expect(scores("accuracy", {}, [bare])).rejects.toThrow(/row 5 has no gold answer.*columns: problem/);
  });
});

describe("names and options", () => {
  it.each<[string, Partial<RewardOptions>, RegExp]>([
    ["cosin", {}, /unknown reward "cosin": there are accuracy, format/],
    ["toString", {}, /unknown reward "toString"/],
    ["code", {}, /"code" of the original repository is not part/],
    ["cosine", { cosine_max_len: 0 }, /cosine_max_len is 0/],
    ["repetition_penalty", { repetition_n_grams: 0 }, /repetition_n_grams is 0/],
    ["repetition_penalty", { repetition_max_penalty: 0.5 }, /repetition_max_penalty is 0.5/],
  ])("%s %o", (name, options, message) => {
    expect(() => createReward(name, options)).toThrow(UserError);
    expect(() => createReward(name, options)).toThrow(message);
  });
});
