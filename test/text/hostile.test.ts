/** A model's folder is other people's data: a chat template or a tokenizer that never ends, or fills the memory, is one error line. */
import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { makePrompts } from "../../src/data/index.js";
import { UserError } from "../../src/errors.js";
import { loadTokenizer } from "../../src/text/index.js";
import { withTimeLimit } from "../../src/text/time-limit.js";
import { temporaryFolder } from "../support/tiny-run.js";

const FIXTURE = path.resolve(import.meta.dirname, "../fixtures/text/bpe");
const definition = JSON.parse(fs.readFileSync(path.join(FIXTURE, "tokenizer.json"), "utf8"));
const folder = temporaryFolder();
let count = 0;

/** A folder with the fixture's tokenizer, changed. */
function tokenizerOf(changes: Record<string, unknown>, template?: string) {
  const dir = path.join(folder, `tokenizer-${count++}`);
  fs.cpSync(FIXTURE, dir, { recursive: true });
  fs.writeFileSync(path.join(dir, "tokenizer.json"), JSON.stringify({ ...definition, ...changes }));
  return loadTokenizer(dir, template === undefined ? {} : { chatTemplate: template });
}

/** The message of a UserError that comes within five seconds and some for a busy machine, one line. */
function refusal(attempt: () => unknown): string {
  const start = performance.now();
  try {
    attempt();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    const { message } = error as Error;
    expect(message).not.toContain("\n");
    expect(message.length).toBeLessThan(2000);
    expect(performance.now() - start).toBeLessThan(8000);
    return message;
  }
  throw new Error("no error");
}

const doubling = (start: string, next: string) =>
  `{% set ns = namespace(x=${start}) %}{% for i in range(64) %}{% set ns.x = ${next} %}{% endfor %}{{ ns.x }}`;

test.each([
  ["a long range", "{% for i in range(1000000000) %}{% endfor %}", /range\(\) of 1000000000 numbers, 100000 at most/],
  [
    "nested loops",
    `${"{% for i in range(10000) %}".repeat(4)}${"{% endfor %}".repeat(4)}`,
    /more than 2000000 steps|longer than 3 seconds/,
  ],
  [
    "loops that write",
    `${"{% for i in range(99999) %}".repeat(2)}x${"{% endfor %}".repeat(2)}`,
    /more than 2000000 steps|longer than 3 seconds/,
  ],
  ["a text that doubles", doubling("'ab'", "ns.x ~ ns.x"), /a text of more than 16777216 characters/],
  ["a list that doubles", doubling("[1]", "ns.x + ns.x"), /a list of more than 1000000 items/],
  ["lists in lists", doubling("[1]", "[ns.x, ns.x]"), /a list of more than 1000000 items/],
  ["a macro that calls itself", "{% macro f(g) %}{{ g(g) }}{% endmacro %}{{ f(f) }}", /stack/],
  ["megabytes of template", "x".repeat(2_000_000), /has 2000000 characters, 1000000 at most/],
  [
    "a long complaint",
    "{{ raise_exception('no' * 1) if false else raise_exception(messages[0].content) }}",
    /characters\)/,
  ],
])("chat template: %s", (_name, template, message) => {
  const content = "why? ".repeat(20_000);
  expect(refusal(() => tokenizerOf({}, template).applyChatTemplate([{ role: "user", content }]))).toMatch(message);
});

const split = (pattern: string) => ({
  pre_tokenizer: { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false },
});
const hang = `${"a".repeat(60)}!`;

test("a pre-tokenizer's expression that never ends is refused, with the row it came to", () => {
  const tokenizer = tokenizerOf(split("^(a+)+$"));
  const rows = [{ prompt: "fine" }, { prompt: hang }];
  expect(() => makePrompts(rows, { tokenizer })).toThrow(/^row 2: .*tokenizer\.json cannot tokenize 61 characters/);
}, 30_000);

test.each([
  ["a normalizer's", { normalizer: { type: "Replace", pattern: { Regex: "^(a+)+$" }, content: "b" } }],
  ["a wrong expression", split("(((")],
])("%s too", (_name, changes) => {
  expect(refusal(() => tokenizerOf(changes).encode(hang))).toMatch(/tokenizer\.json/);
});

const vocab = (token: string, id: unknown) => ({
  model: { ...definition.model, vocab: { ...definition.model.vocab, [token]: id } },
});

test.each([
  ["an id of 1e9", vocab("far", 1e9), /the token "far" the id 1000000000: a whole number below 16777216/],
  ["a negative id", vocab("far", -1), /the id -1/],
  ["an id that is text", vocab("far", "7"), /the id "7"/],
  [
    "an added token of 1e9",
    { added_tokens: [...definition.added_tokens, { ...definition.added_tokens[0], id: 1e9, content: "far" }] },
    /the token "far" the id 1000000000/,
  ],
])("tokenizer.json: %s", (_name, changes, message) => {
  expect(refusal(() => tokenizerOf(changes))).toMatch(message);
});

test("the highest id that passes is read at once", () => {
  const start = performance.now();
  const tokenizer = tokenizerOf(vocab("far", 2 ** 24 - 1));
  expect(tokenizer.tokenString(2 ** 24 - 1)).toBe("far");
  expect(performance.now() - start).toBeLessThan(5000);
});

test("a text of 50 million characters is refused at once, with its row and size", () => {
  const tokenizer = loadTokenizer(FIXTURE);
  for (const column of ["prompt", "problem"]) {
    const rows = [{ [column]: "fine" }, { [column]: "x".repeat(50_000_000) }];
    const message = refusal(() => makePrompts(rows, { tokenizer }));
    expect(message).toMatch(/^row 2: a text of 50000000 characters is too long to tokenize, 4194304 at most/);
  }
});

test("limits inside a limit are its own, and what a body throws or returns passes", () => {
  expect(withTimeLimit(50, () => withTimeLimit(1, () => [1]))).toEqual([1]);
  const error = new TypeError("x");
  const thrower = () => {
    throw error;
  };
  expect(() => withTimeLimit(50, thrower)).toThrow(error);
  expect(() => withTimeLimit(20, () => withTimeLimit(5000, () => /^(a+)+$/.test(hang)))).toThrow(/0\.02 seconds/);
  expect(withTimeLimit(50, () => 3)).toBe(3);
});

test("ten thousand prompts through a chat template in seconds", () => {
  const tokenizer = loadTokenizer(FIXTURE);
  const rows = Array.from({ length: 10_000 }, (_, i) => ({ problem: `What is ${i} plus ${i}?` }));
  const start = performance.now();
  expect(makePrompts(rows, { tokenizer }).prompts).toHaveLength(10_000);
  expect(performance.now() - start).toBeLessThan(30_000);
}, 60_000);
