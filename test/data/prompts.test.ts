import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkGolds, makePrompts, type Row } from "../../src/data/index.js";
import { setPlace } from "../../src/data/places.js";
import { UserError } from "../../src/errors.js";
import { canParse } from "../../src/math/index.js";
import { loadTokenizer } from "../../src/text/index.js";

const fixtures = join(import.meta.dirname, "../fixtures/text");
const tokenizer = loadTokenizer(join(fixtures, "bpe"));
const withoutTemplate = loadTokenizer(join(fixtures, "metaspace"));
const OPEN = "Assistant:<think>\n";

describe("what the model sees", () => {
  const cases: [string, Row, Parameters<typeof makePrompts>[1], string][] = [
    ["a problem is the user's turn", { problem: "1+1?" }, { tokenizer }, `<|bos|>User: 1+1?\n${OPEN}`],
    ["a question too", { question: "1+1?" }, { tokenizer }, `<|bos|>User: 1+1?\n${OPEN}`],
    [
      "system prompt, braces as they are",
      { problem: "q" },
      { tokenizer, systemPrompt: "\\boxed{{}}" },
      `<|bos|>System: \\boxed{{}}\nUser: q\n${OPEN}`,
    ],
    ["a prompt is text, as TRL takes it", { prompt: "1+1=", answer: "2" }, { tokenizer }, "1+1="],
    [
      "a prompt with a system prompt is a turn",
      { prompt: "q" },
      { tokenizer, systemPrompt: "s" },
      `<|bos|>System: s\nUser: q\n${OPEN}`,
    ],
    ["a prompt as chat, when told", { prompt: "q" }, { tokenizer, promptFormat: "chat" }, `<|bos|>User: q\n${OPEN}`],
    ["a problem as text, when told", { problem: "q" }, { tokenizer: withoutTemplate, promptFormat: "text" }, "q"],
    ["messages", { prompt: [{ role: "user", content: "a" }] }, { tokenizer }, `<|bos|>User: a\n${OPEN}`],
    [
      "messages keep their own system prompt",
      {
        prompt: [
          { role: "system", content: "own" },
          { role: "user", content: "a" },
        ],
      },
      { tokenizer, systemPrompt: "s" },
      `<|bos|>System: own\nUser: a\n${OPEN}`,
    ],
    [
      "a template",
      { problem: "q", answer: 2 },
      { tokenizer, promptTemplate: "{{ problem }}! \\boxed{answer}" },
      `<|bos|>User: q! \\boxed{answer}\n${OPEN}`,
    ],
    ["a column of one's own", { task: "q" }, { tokenizer, promptColumn: "task" }, `<|bos|>User: q\n${OPEN}`],
  ];
  it.each(cases)("%s", (_name, row, options, text) => {
    const { prompts } = makePrompts([row], options);
    expect(prompts).toHaveLength(1);
    expect(prompts[0]).toMatchObject({ index: 0, text, row });
    const addSpecialTokens = typeof prompts[0].source === "string";
    expect(prompts[0].ids).toEqual(options.tokenizer.encode(text, { addSpecialTokens }));
  });
});

it("plain text gets the beginning-of-text token that the tokenizer adds, once (TRL: processing_class(text=prompt))", () => {
  const bos = tokenizer.bosTokenId!;
  const idsOf = (prompt: string, of = tokenizer) => makePrompts([{ prompt }], { tokenizer: of }).prompts[0].ids;
  expect(idsOf("1+1=")).toEqual([bos, ...tokenizer.encode("1+1=")]);
  expect(idsOf("<|bos|>1+1=")).toEqual([bos, ...tokenizer.encode("1+1=")]);
  expect(idsOf("1+1=", withoutTemplate)).toEqual(withoutTemplate.encode("1+1="));
});

it("rows keep their places in the data set where some were left out", () => {
  const rows = [{ prompt: "a" }, { prompt: "b" }];
  const { prompts } = makePrompts(rows, { tokenizer, indices: [3, 7] });
  expect(prompts.map(({ index }) => index)).toEqual([3, 7]);
});

describe("long prompts", () => {
  const rows = ["1", "12345678", "12"].map((prompt) => ({ prompt }));
  it("are dropped and counted", () => {
    const made = makePrompts(rows, { tokenizer, maxPromptLength: 3 });
    expect(made.prompts.map((p) => [p.index, p.text])).toEqual([
      [0, "1"],
      [2, "12"],
    ]);
    expect(made).toMatchObject({ dropped: 1, cut: 0 });
  });
  it("or cut at the left and counted", () => {
    const made = makePrompts(rows, { tokenizer, maxPromptLength: 3, onLongPrompt: "cut" });
    expect(made.prompts.map((p) => p.text)).toEqual(["1", "678", "12"]);
    expect(made.prompts[1].ids).toEqual(tokenizer.encode("678"));
    expect(made).toMatchObject({ dropped: 0, cut: 1 });
  });
  it("an error when none is left", () => {
    const make = () => makePrompts([{ prompt: "12345" }], { tokenizer, maxPromptLength: 2 });
    expect(make).toThrow(/all 1 prompts are longer than max_prompt_length 2 \(the shortest has 6 tokens\)/);
  });
});

describe("wrong rows", () => {
  const good = { problem: "q" };
  it.each<[string, Row[], object, RegExp]>([
    ["none", [], {}, /no rows/],
    [
      "no known column",
      [{ x: 1 }],
      {},
      /row 1 has none of the columns prompt, problem.*it has: x.*dataset_prompt_column/,
    ],
    ["a missing column", [good, { x: 1 }], {}, /row 2 has no column "problem" \(the prompt\); it has: x/],
    ["a number", [good, { problem: 3 }], {}, /row 2: column "problem" is a number/],
    ["null", [{ problem: null }], {}, /row 1: column "problem" is null/],
    [
      "a message without role",
      [{ prompt: [{ content: "x" }] }],
      {},
      /row 1: column "prompt": message 1 has no text "role"/,
    ],
    ["no messages", [{ prompt: [] }], {}, /holds no messages/],
    ["an answered prompt", [{ prompt: [{ role: "assistant", content: "x" }] }], {}, /ends with the assistant's turn/],
    ["an empty prompt", [{ prompt: "" }], {}, /row 1: the prompt in column "prompt" is empty/],
    [
      "a template's column",
      [good],
      { promptTemplate: "{{level}} {{problem}}" },
      /row 1 has no column "level" \(in prompt_template\)/,
    ],
    ["no chat template", [good], { tokenizer: withoutTemplate }, /has no chat template.*chat_template\.jinja/],
  ])("%s", (_name, rows, options, message) => {
    expect(() => makePrompts(rows, { tokenizer, ...options })).toThrow(UserError);
    expect(() => makePrompts(rows, { tokenizer, ...options })).toThrow(message);
  });

  it("are named with their file and line", () => {
    const row = setPlace({ problem: 1 }, "train.jsonl:7");
    expect(() => makePrompts([good, row], { tokenizer })).toThrow(/row 2 \(train\.jsonl:7\): column "problem"/);
  });
});

describe("golds", () => {
  const rows: Row[] = [{ answer: "7" }, { answer: "?!" }, { solution: "so \\boxed{\\frac{1}{2}}", answer: "?" }];
  it("that cannot be parsed are counted, kept or dropped", () => {
    expect(checkGolds(rows, canParse)).toEqual({ rows, indices: [0, 1, 2], unparseable: [1] });
    expect(checkGolds(rows, canParse, { treatment: "drop" })).toEqual({
      rows: [rows[0], rows[2]],
      indices: [0, 2],
      unparseable: [1],
    });
  });
  it("or stop", () => {
    expect(() => checkGolds(rows, canParse, { treatment: "error" })).toThrow(
      /row 2: gold answer "\?!" cannot be parsed/,
    );
    expect(() => checkGolds([{ x: 1 }], canParse)).toThrow(/row 1 has no gold answer in column "solution" or "answer"/);
    expect(() => checkGolds(rows, canParse, { column: "gold" })).toThrow(/row 1 has no gold answer in column "gold"/);
  });
});
