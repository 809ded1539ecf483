// Vectors by Hugging Face's own libraries: test/golden/text.py.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import { type ChatMessage, loadTokenizer } from "../../src/text/index.js";

interface Vectors {
  encode: { text: string; ids: number[]; ids_with_special: number[]; decoded: string; decoded_with_special: string }[];
  chat: { messages: ChatMessage[]; add_generation_prompt: boolean; text: string; ids: number[] }[];
}

const fixtures = join(import.meta.dirname, "../fixtures/text");
const readVectors = (name: string): Vectors => JSON.parse(readFileSync(join(fixtures, name, "vectors.json"), "utf8"));
const scratch = mkdtempSync(join(tmpdir(), "open-rs-text-"));
afterAll(() => rmSync(scratch, { recursive: true }));

let copies = 0;
/** A copy of the byte-level fixture with some files replaced (null removes the key from tokenizer_config.json). */
function changedFolder(files: Record<string, string>, config: Record<string, unknown> = {}): string {
  const dir = join(scratch, String(copies++));
  cpSync(join(fixtures, "bpe"), dir, { recursive: true });
  const path = join(dir, "tokenizer_config.json");
  const merged = { ...JSON.parse(readFileSync(path, "utf8")), ...config };
  writeFileSync(path, JSON.stringify(merged));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  return dir;
}

describe.each(["bpe", "metaspace"])("%s vectors", (name) => {
  const tokenizer = loadTokenizer(join(fixtures, name));
  it.each(readVectors(name).encode)("$text", (vector) => {
    expect(tokenizer.encode(vector.text)).toEqual(vector.ids);
    expect(tokenizer.encode(vector.text, { addSpecialTokens: true })).toEqual(vector.ids_with_special);
    expect(tokenizer.decode(vector.ids)).toBe(vector.decoded);
    expect(tokenizer.decode(vector.ids, { skipSpecialTokens: false })).toBe(vector.decoded_with_special);
  });
});

describe("chat template", () => {
  const { chat } = readVectors("bpe");
  it.each(chat)("from tokenizer_config.json: $messages.length messages, $add_generation_prompt", (vector) => {
    const tokenizer = loadTokenizer(join(fixtures, "bpe"));
    const text = tokenizer.applyChatTemplate(vector.messages, { addGenerationPrompt: vector.add_generation_prompt });
    expect(text).toBe(vector.text);
    expect(tokenizer.encode(text)).toEqual(vector.ids);
  });

  it("chat_template.jinja wins over tokenizer_config.json", () => {
    const dir = changedFolder({ "chat_template.jinja": "{{ messages[0].content }}{{ eos_token }}" });
    expect(loadTokenizer(dir).applyChatTemplate([{ role: "user", content: "x" }])).toBe("x<|eos|>");
  });

  it("one given wins over the folder's", () => {
    const tokenizer = loadTokenizer(join(fixtures, "bpe"), { chatTemplate: "{{ bos_token }}!" });
    expect(tokenizer.applyChatTemplate([])).toBe("<|bos|>!");
  });

  it("takes the default of several named templates", () => {
    const chat_template = [
      { name: "tool_use", template: "no" },
      { name: "default", template: "yes" },
    ];
    expect(loadTokenizer(changedFolder({}, { chat_template })).applyChatTemplate([])).toBe("yes");
  });

  it("names both ways to give a template that is missing", () => {
    const apply = () => loadTokenizer(join(fixtures, "metaspace")).applyChatTemplate([{ role: "user", content: "x" }]);
    expect(apply).toThrow(UserError);
    expect(apply).toThrow(/chat_template\.jinja.*tokenizer_config\.json.*chat_template in the recipe/s);
  });

  it("passes on what the template refuses, and why", () => {
    const apply = () => loadTokenizer(join(fixtures, "bpe")).applyChatTemplate([{ role: "robot", content: "x" }]);
    expect(apply).toThrow(UserError);
    expect(apply).toThrow(/robot/);
  });
});

describe("the model folder", () => {
  it("gives sizes and the ids of special tokens", () => {
    const tokenizer = loadTokenizer(join(fixtures, "bpe"));
    expect(tokenizer).toMatchObject({ vocabSize: 382, padTokenId: 0, bosTokenId: 1, eosTokenId: 2, eosTokenIds: [2] });
    expect(tokenizer.tokenString(2)).toBe("<|eos|>");
    expect(tokenizer.tokenId("<think>")).toBe(380);
    expect([tokenizer.isSpecial(2), tokenizer.isSpecial(380)]).toEqual([true, false]);
  });

  it("pads with the end token where no padding token is named", () => {
    const tokenizer = loadTokenizer(join(fixtures, "metaspace"));
    expect(tokenizer.padTokenId).toBe(tokenizer.eosTokenId);
  });

  it("adds the end tokens of generation_config.json", () => {
    const dir = changedFolder({ "generation_config.json": '{"eos_token_id": [2, 381]}' });
    expect(loadTokenizer(dir).eosTokenIds).toEqual([2, 381]);
  });

  it("decodes ids outside the vocabulary to nothing", () => {
    const tokenizer = loadTokenizer(join(fixtures, "bpe"));
    expect(tokenizer.decode([])).toBe("");
    expect(tokenizer.decode([9999])).toBe("");
    expect(tokenizer.decode([9999, ...tokenizer.encode("abc"), 382])).toBe("abc");
  });

  it.each([
    ["no such folder", () => join(scratch, "absent"), /no folder .*absent/],
    ["no tokenizer.json", () => scratch, /has no tokenizer\.json/],
    ["broken JSON", () => changedFolder({ "tokenizer.json": "{" }), /tokenizer\.json cannot be read/],
    ["not a tokenizer", () => changedFolder({ "tokenizer.json": "{}" }), /tokenizer\.json is not a tokenizer/],
    [
      "a special token that is no token",
      () => changedFolder({}, { eos_token: "<|end|>" }),
      /eos_token "<\|end\|>" is not/,
    ],
  ])("%s is a clear error", (_name, dir, message) => {
    expect(() => loadTokenizer(dir())).toThrow(UserError);
    expect(() => loadTokenizer(dir())).toThrow(message);
  });
});
