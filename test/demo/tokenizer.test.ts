import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generateCorpus } from "../../src/demo/corpus.js";
import { generateProblems } from "../../src/demo/problems.js";
import { tokenizerConfig, tokenizerJson } from "../../src/demo/vocabulary.js";
import { loadTokenizer } from "../../src/text/index.js";

const folder = new URL("../../src/demo/tokenizer/", import.meta.url);
const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, folder), "utf8"));
const tokenizer = loadTokenizer(fileURLToPath(folder));

/** Ids, text and rendered chats from transformers 5.18 (test/golden/demo_tokenizer.py). */
const golden = JSON.parse(readFileSync(new URL("../fixtures/demo/tokenizer.json", import.meta.url), "utf8")) as {
  texts: { text: string; ids: number[]; decoded: string }[];
  chats: { messages: { role: string; content: string }[]; rendered: string }[];
};

describe("demo tokenizer", () => {
  it("stands in the repository as the code writes it", () => {
    expect(read("tokenizer.json")).toEqual(tokenizerJson());
    expect(read("tokenizer_config.json")).toEqual(tokenizerConfig());
  });

  it("fits the model's vocabulary", () => {
    const config = JSON.parse(readFileSync(new URL("../../src/demo/config.json", import.meta.url), "utf8"));
    expect(tokenizer.vocabSize).toBeLessThanOrEqual(config.vocab_size);
    expect(tokenizer.eosTokenIds).toContain(config.eos_token_id);
  });

  it("encodes and decodes as transformers does", () => {
    for (const { text, ids, decoded } of golden.texts) {
      expect(tokenizer.encode(text, { addSpecialTokens: false }), JSON.stringify(text)).toEqual(ids);
      expect(tokenizer.decode(ids, { skipSpecialTokens: true }), JSON.stringify(text)).toBe(decoded);
    }
  });

  it("renders chats as transformers does, the prompt ending in the opening tag", () => {
    for (const { messages, rendered } of golden.chats) {
      expect(tokenizer.applyChatTemplate(messages, { addGenerationPrompt: true })).toBe(rendered);
      expect(rendered.endsWith("<|assistant|><think>\n")).toBe(true);
    }
  });

  it("gives any text back", () => {
    const marker = /<\|(pad|end|system|user|assistant)\|>/;
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        fc.pre(!marker.test(text) && text.length > 0);
        expect(
          tokenizer.decode(tokenizer.encode(text, { addSpecialTokens: false }), { skipSpecialTokens: false }),
        ).toBe(text);
      }),
    );
  });

  it("keeps words whole and digits apart, so prompt and completion stay short", () => {
    const lengths = (texts: string[]): number =>
      Math.max(...texts.map((t) => tokenizer.encode(t, { addSpecialTokens: false }).length));
    expect(lengths(generateProblems({ split: "test", seed: 0, count: 500 }).map((p) => p.problem))).toBeLessThanOrEqual(
      48,
    );
    const corpus = generateCorpus({ seed: 1, count: 2000 });
    expect(lengths(corpus.map((e) => e.completion))).toBeLessThanOrEqual(90);
    expect(tokenizer.encode("\n</think>\n\\boxed{42}", { addSpecialTokens: false })).toHaveLength(7);
  });
});
