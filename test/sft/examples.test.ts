/** What of each kind of row is read, and what is learnt. */
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Row } from "../../src/data/index.js";
import { resolveSftRecipe } from "../../src/recipe/index.js";
import { makeExamples } from "../../src/sft/index.js";
import { loadTokenizer } from "../../src/text/index.js";

const DEMO = fileURLToPath(new URL("../../src/demo/tokenizer", import.meta.url));
const METASPACE = fileURLToPath(new URL("../fixtures/text/metaspace", import.meta.url));
/** Opens the thinking in the prompt and leaves it out of past answers, as DeepSeek-R1's does. */
const THINKING =
  "{% for m in messages %}{% if m.role == 'user' %}U:{{ m.content }}{% else %}A:{{ m.content.split('</think>')[-1] }}{% endif %}{% endfor %}" +
  "{% if add_generation_prompt %}A:<think>\n{% endif %}";

function make(rows: Row[], keys: Record<string, unknown> = {}, template: string | null = null, maxPositions = 256) {
  const tokenizer = loadTokenizer(DEMO, { chatTemplate: template });
  const { recipe } = resolveSftRecipe({ model_name_or_path: "-", dataset_name: "-", ...keys });
  const made = makeExamples(rows, { tokenizer, keys: recipe, maxPositions });
  const text = (ids: number[]) => tokenizer.decode(ids, { skipSpecialTokens: false });
  return { ...made, shown: made.examples.map(({ ids, from }) => [text(ids.slice(0, from)), text(ids.slice(from))]) };
}

const user = (content: string) => ({ role: "user", content });
const assistant = (content: string) => ({ role: "assistant", content });
const chat = [user("1+1"), assistant("2"), user("2+2"), assistant("4")];

describe("a row", () => {
  const cases: [string, Row, Record<string, unknown>, [string, string]][] = [
    ["prompt and completion", { prompt: "1+1=", completion: "2" }, {}, ["1+1=", "2<|end|>"]],
    ["that ends already", { prompt: "1+1=", completion: "2<|end|>" }, {}, ["1+1=", "2<|end|>"]],
    ["whole", { prompt: "1+1=", completion: "2" }, { completion_only_loss: false }, ["1", "+1=2<|end|>"]],
    [
      "chat prompt, text completion",
      { prompt: [user("1+1")], completion: "2" },
      {},
      ["<|user|>1+1<|assistant|><think>\n", "2<|end|>"],
    ],
    [
      "a question column",
      { problem: "1+1", completion: "2" },
      { system_prompt: "Add." },
      ["<|system|>Add.<|user|>1+1<|assistant|><think>\n", "2<|end|>"],
    ],
    [
      "other columns",
      { q: "1+1=", a: "2" },
      { dataset_prompt_column: "q", dataset_completion_column: "a", chat_template: "-" },
      ["-", "2<|end|>"],
    ],
    ["messages", { messages: [user("1+1"), assistant("2")] }, {}, ["<|user|>", "1+1<|assistant|>2<|end|>"]],
    [
      "the last answer of messages",
      { messages: chat },
      { completion_only_loss: true },
      ["<|user|>1+1<|assistant|>2<|end|><|user|>2+2<|assistant|><think>\n", "4<|end|>"],
    ],
    ["text", { text: "1+1=2" }, {}, ["1", "+1=2<|end|>"]],
    ["text of another column", { body: "1+1=2" }, { dataset_text_field: "body" }, ["1", "+1=2<|end|>"]],
  ];
  test.each(cases)("%s", (_name, row, keys, expected) => {
    const { chat_template, ...others } = keys;
    expect(make([row], others, typeof chat_template === "string" ? chat_template : null).shown).toEqual([expected]);
  });

  test("whose chat template hides past thinking: the content itself is what follows the prompt", () => {
    const answer = [assistant("<think>\nwell\n</think>\n4")];
    const expected = [["U:2+2A:<think>\n", "well\n</think>\n4<|end|>"]];
    expect(make([{ prompt: [user("2+2")], completion: answer }], {}, THINKING).shown).toEqual(expected);
    const whole = { messages: [user("2+2"), ...answer] };
    expect(make([whole], { completion_only_loss: true }, THINKING).shown).toEqual(expected);
  });

  test("whose completion is one token with the prompt's end is encoded apart, as the sampler will go on", () => {
    const tokenizer = loadTokenizer(DEMO);
    const merged = [..."abcdefghijklmnopqrstuvwxyz "].flatMap((a) => [..."aeinorst "].map((b) => [a, b] as const));
    const [prompt, completion] = merged.find(([a, b]) => tokenizer.encode(a + b).length === 1)!;
    const [example] = make([{ prompt, completion }]).examples;
    expect(example?.ids.slice(0, -1)).toEqual([...tokenizer.encode(prompt), ...tokenizer.encode(completion)]);
    expect(example?.from).toBe(1);
  });
});

describe("lengths", () => {
  const rows = ["1", "12345678", "1234567890123456"].map((completion) => ({ prompt: "1+1=", completion }));

  test("longer examples lose their end, and are counted", () => {
    const { shown, cut, dropped } = make(rows, { max_length: 6 });
    expect({ cut, dropped }).toEqual({ cut: 2, dropped: 0 });
    expect(shown[0]).toEqual(["1+1=", "1<|end|>"]);
    expect(shown[1]).toEqual(shown[2]);
  });

  test("the model's context is a limit, too", () => {
    expect(make(rows, { max_length: null }, null, 8).cut).toBe(2);
  });

  test("an example of which only the prompt is left is left out", () => {
    expect(make([{ prompt: "1+1+1+1+1+1=", completion: "6" }, ...rows], { max_length: 7 }).dropped).toBe(1);
    expect(() => make(rows, { max_length: 4 })).toThrow(/none of the 3 rows leaves a token to learn within 4 tokens/);
  });
});

describe("mistakes name the row", () => {
  const good = { prompt: "a", completion: "b" };
  const cases: [string, Row[], Record<string, unknown>, RegExp][] = [
    ["no rows", [], {}, /no rows/],
    ["no usable column", [{ question: "a" }], {}, /row 1 has none of .*"completion", "messages", "text".*question/],
    ["a number", [good, { prompt: "a", completion: 3 }], {}, /row 2: column "completion" is neither text nor/],
    ["a missing prompt", [good, { completion: "b" }], {}, /row 2 .*"prompt"/],
    ["text prompt, chat completion", [{ prompt: "a", completion: [assistant("b")] }], {}, /row 1.*the prompt is text/],
    ["text only", [{ text: "a" }], { completion_only_loss: true }, /no column "completion"/],
    ["text that is none", [{ text: "ab" }, { text: null }], {}, /row 2: column "text" is no text/],
    ["no messages", [{ messages: [{ role: "user" }] }], {}, /row 1: column "messages" is no list of messages/],
    ["no answer", [{ messages: [user("a")] }], { completion_only_loss: true }, /does not end with an answer/],
  ];
  test.each(cases)("%s", (_name, rows, keys, message) => expect(() => make(rows, keys)).toThrow(message));

  test("a chat without a template", () => {
    const { recipe: keys } = resolveSftRecipe({ model_name_or_path: "-", dataset_name: "-" });
    const options = { tokenizer: loadTokenizer(METASPACE), keys, maxPositions: 64 };
    expect(() => makeExamples([{ messages: [user("a")] }], options)).toThrow(/has no chat template/);
  });

  test("a tokenizer without an end token", () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), "open-rs-test-"));
    copyFileSync(path.join(METASPACE, "tokenizer.json"), path.join(folder, "tokenizer.json"));
    const { recipe: keys } = resolveSftRecipe({ model_name_or_path: "-", dataset_name: "-" });
    const options = { tokenizer: loadTokenizer(folder), keys, maxPositions: 64 };
    expect(() => makeExamples([{ text: "ab" }], options)).toThrow(/names no end token/);
    rmSync(folder, { recursive: true });
  });
});
