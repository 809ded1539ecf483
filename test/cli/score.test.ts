/** `open-rs score` against the golden log-probabilities of transformers (test/golden/make_models.py), and its mistakes. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { loadTokenizer } from "../../src/text/index.js";
import { fixtureDir, fixtureNames, golden, maxDifference } from "../model/fixtures.js";
import { temporaryFolder, tinyCheckpoint } from "../support/tiny-run.js";
import { run } from "./run.js";

const folder = temporaryFolder();
const input = path.join(folder, "input.jsonl");
const lines = (...values: unknown[]) =>
  writeFileSync(input, values.map((v) => (typeof v === "string" ? v : JSON.stringify(v))).join("\n"));
const parsed = (stdout: string): number[][] =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).logprobs);

let model: string;
beforeAll(() => {
  model = tinyCheckpoint(folder);
});

test.each(fixtureNames)("%s in float32, JSON alone on stdout, in the input's order", async (name) => {
  const { sequences, logprobs } = golden(name);
  lines(...sequences.map((ids) => ({ ids })));
  const { code, stdout, stderr } = await run(
    ...["score", "--model", fixtureDir(name), "--input", input, "--dtype", "float32"],
  );
  expect([code, stderr]).toEqual([0, ""]);
  const ours = parsed(stdout);
  expect(ours).toHaveLength(sequences.length);
  ours.forEach((row, i) => {
    expect(maxDifference(row, logprobs[i]!)).toBeLessThan(1e-4);
  });
});

test("text is what its tokens are; nothing follows a single token or none", async () => {
  const text = "What is 1+1?";
  lines({ text }, { ids: loadTokenizer(model).encode(text) }, { ids: [5] }, { text: "" });
  const { code, stdout } = await run("score", "--model", model, "--input", input);
  expect(code).toBe(0);
  const [byText, byIds, ...short] = parsed(stdout);
  expect(byText!.length).toBeGreaterThan(3);
  // Rows are scored in batches: another batch, another last bit.
  expect(maxDifference(byText!, byIds!)).toBeLessThan(1e-5);
  expect(short).toEqual([[], []]);
});

describe("mistakes: one line that says where, exit code 1", () => {
  test.each<[string, unknown, RegExp]>([
    ["no columns", { foo: 1 }, /input.jsonl:2: neither "ids" nor a string "text": give /],
    ["ids that are none", { ids: "1 2" }, /input.jsonl:2: "ids" is no list of token ids/],
    ["an id beyond the vocabulary", { ids: [1, 384] }, /input.jsonl:2: 384 is no token id of this model \(0 to 383\)/],
    ["half an id", { ids: [1.5] }, /input.jsonl:2: 1.5 is no token id/],
    ["more than the context", { ids: Array(65).fill(1) }, /input.jsonl:2: 65 tokens, the model's context is 64/],
    ["a list", [1, 2], /input.jsonl:2: expected a JSON object with named columns, found an array/],
    ["no JSON", '{"ids": [1, 2}', /input.jsonl:2: not JSON: /],
  ])("%s", async (_name, line, message) => {
    lines({ ids: [1, 2] }, line);
    const { code, stdout, stderr } = await run("score", "--model", model, "--input", input);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^error: .*\n$/);
  });

  test.each([
    ["no input", ["--input", "/nowhere/x.jsonl"], /\/nowhere\/x.jsonl cannot be read: there is no such file/],
    ["no model", ["--model", "/nowhere"], /no model folder \/nowhere/],
    ["text without a tokenizer", ["--model", fixtureDir("qwen3")], /has no tokenizer.json/],
  ])("%s", async (_name, more, message) => {
    lines({ text: "a" });
    const { code, stderr } = await run("score", "--model", model, "--input", input, ...more);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});
