import { describe, expect, it } from "vitest";
import { generateCorpus, STYLES } from "../../src/demo/corpus.js";
import { generateProblems } from "../../src/demo/problems.js";

const boxed = (text: string): string | undefined => /\\boxed\{(\d+)\}$/.exec(text)?.[1];

describe("warm-up corpus", () => {
  const count = 6000;
  const corpus = generateCorpus({ seed: 3, count });
  const problems = generateProblems({ split: "train", seed: 3, count });
  const rows = corpus.map((example, i) => ({ ...example, gold: problems[i]?.solution }));

  it("answers training problems in all styles, carefully the less the harder the sum", () => {
    expect(corpus.map((e) => e.problem)).toEqual(problems.map((p) => p.problem));
    expect(new Set(corpus.map((e) => e.style))).toEqual(new Set(STYLES));
    const careful = [1, 2, 3, 4, 5, 6].map(
      (level) => corpus.filter((e) => e.level === level && e.style === "careful").length,
    );
    expect(careful).toEqual([...careful].sort((a, b) => b - a));
  });

  it("ends every answer with one boxed number", () => {
    for (const { completion } of corpus) {
      expect(boxed(completion), completion).toBeDefined();
      expect(completion.split("\\boxed{")).toHaveLength(2);
    }
  });

  it("closes its thinking exactly once, except in the unclosed style", () => {
    for (const { completion, style } of corpus) {
      expect(completion.split("\n</think>\n").length - 1, completion).toBe(style === "unclosed" ? 0 : 1);
    }
  });

  it("is right when careful or unclosed and hardly ever by a guess", () => {
    const right = (style: string): number => {
      const ofStyle = rows.filter((row) => row.style === style);
      return ofStyle.filter((row) => boxed(row.completion) === row.gold).length / ofStyle.length;
    };
    expect(right("careful")).toBe(1);
    expect(right("unclosed")).toBe(1);
    for (const guessing of ["rash", "hasty", "rambling"]) expect(right(guessing)).toBeLessThan(0.04);
  });

  it("states only true equations, whatever the style", () => {
    for (const { completion } of corpus) {
      for (const [, left, right] of completion.matchAll(/^([\d+*-]+)=(\d+)$/gm)) {
        expect(Function(`return ${left}`)(), completion).toBe(Number(right));
      }
    }
  });
});
