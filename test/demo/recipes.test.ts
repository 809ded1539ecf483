import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { answer } from "../../src/demo/corpus.js";
import { generateProblems } from "../../src/demo/problems.js";
import { seededRandom } from "../../src/demo/random.js";
import { loadGrpoRecipe, loadSftRecipe } from "../../src/recipe/index.js";
import { loadTokenizer } from "../../src/text/index.js";

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const demo = loadGrpoRecipe(path("recipes/demo.yaml"));
const base = loadSftRecipe(path("recipes/demo-base.yaml"));
const openRs3 = loadGrpoRecipe(path("recipes/open-rs3.yaml"));
const tokenizer = loadTokenizer(path("src/demo/tokenizer"));
const config = JSON.parse(readFileSync(path("src/demo/config.json"), "utf8")) as { max_position_embeddings: number };
const problems = generateProblems({ split: "test", seed: 0, count: 3000 });

describe("recipes/demo.yaml", () => {
  it("has Open-RS3's rewards, their weights and its temperature", () => {
    for (const key of ["reward_funcs", "reward_weights", "temperature"] as const)
      expect(demo.recipe[key]).toEqual(openRs3.recipe[key]);
  });

  it("leaves room for every prompt and every careful answer, within the model's positions", () => {
    const { max_prompt_length: longestPrompt, max_completion_length: longestAnswer } = demo.recipe;
    const random = seededRandom(0);
    for (const problem of problems) {
      const prompt = tokenizer.applyChatTemplate([{ role: "user", content: problem.problem }], {
        addGenerationPrompt: true,
      });
      expect(tokenizer.encode(prompt).length).toBeLessThanOrEqual(longestPrompt ?? 0);
      expect(tokenizer.encode(answer(random, problem, "careful")).length).toBeLessThan(longestAnswer);
    }
    expect((longestPrompt ?? 0) + longestAnswer).toBeLessThanOrEqual(config.max_position_embeddings);
  });

  it("keeps the longest careful answer before the end of the cosine", () => {
    const random = seededRandom(0);
    const longest = Math.max(...problems.map((problem) => answer(random, problem, "careful").length));
    expect(longest).toBeLessThan(demo.recipe.cosine_max_len / 2);
  });
});

describe("recipes/demo-base.yaml", () => {
  it("cuts no example", () => {
    const styles = ["careful", "rash", "hasty", "rambling", "unclosed"] as const;
    const random = seededRandom(0);
    const lengths = problems
      .filter(({ level }) => level > 1)
      .map((problem, i) => {
        const prompt = `<|user|>${problem.problem}<|assistant|><think>\n`;
        return tokenizer.encode(prompt + answer(random, problem, styles[i % 5] as (typeof styles)[number])).length + 1;
      });
    expect(Math.max(...lengths)).toBeLessThanOrEqual(base.recipe.max_length ?? 0);
  });
});
