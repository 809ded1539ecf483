/** `open-rs tokenize` against the tokenizers library's own ids (test/golden/text.py), and its mistakes. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/tiny-run.js";
import { run } from "./run.js";

const FIXTURES = fileURLToPath(new URL("../fixtures/text/", import.meta.url));
const input = path.join(temporaryFolder(), "texts.jsonl");

interface Vector {
  text: string;
  ids: number[];
  decoded_with_special: string;
}

test.each(["bpe", "metaspace"])("%s: ids and their text, a line per line", async (name) => {
  const { encode } = JSON.parse(readFileSync(path.join(FIXTURES, name, "vectors.json"), "utf8")) as {
    encode: Vector[];
  };
  writeFileSync(input, encode.map(({ text }) => `${JSON.stringify({ text })}\n`).join(""));
  const { code, stdout, stderr } = await run("tokenize", "--model", path.join(FIXTURES, name), "--input", input);
  expect([code, stderr]).toEqual([0, ""]);
  const rows = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(rows).toEqual(encode.map(({ ids, decoded_with_special }) => ({ ids, decoded: decoded_with_special })));
});

test.each<[string, string, string[], RegExp]>([
  ["a line without text", '{"text": "a"}\n{"text": 5}', [], /texts.jsonl:2: no string "text" in this line/],
  ["no JSON", "hello", [], /texts.jsonl:1: not JSON/],
  ["no input", "", ["--input", "/nowhere.jsonl"], /\/nowhere.jsonl cannot be read: there is no such file/],
  ["no folder", "", ["--model", "/nowhere"], /no folder \/nowhere/],
  ["no tokenizer", "", ["--model", path.dirname(input)], /has no tokenizer.json/],
])("%s: one line, exit code 1", async (_name, content, more, message) => {
  writeFileSync(input, content);
  const { code, stderr } = await run("tokenize", "--model", path.join(FIXTURES, "bpe"), "--input", input, ...more);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: .*\n$/);
  expect(stderr).toMatch(message);
});
