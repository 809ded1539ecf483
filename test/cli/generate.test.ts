/** `open-rs generate`: a prompt streamed, a file of prompts, and their mistakes. */
import { cpSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder, tinyCheckpoint } from "../support/tiny-run.js";
import { run } from "./run.js";

const folder = temporaryFolder();
const input = path.join(folder, "prompts.jsonl");
const QUESTION = "What is 1+1?";
let model: string;

beforeAll(() => {
  model = tinyCheckpoint(folder);
});

const generate = (...words: string[]) => run("generate", "--model", model, "--max_tokens", "8", ...words);
const rowsOf = (stdout: string) =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { prompt: unknown; completions: { text: string; ids: number[] }[] });

describe("--prompt", () => {
  test("streams the text that -n 2 gives as its first completion of the same seed, greedy", async () => {
    const greedy = ["--prompt", QUESTION, "--temperature", "0"];
    const { code, stdout, stderr, chunks } = await generate(...greedy);
    const [row] = rowsOf((await generate(...greedy, "-n", "2")).stdout);
    expect([code, stderr]).toEqual([0, ""]);
    expect(chunks.length).toBeGreaterThan(3);
    expect(stdout).toBe(`${row!.completions[0]!.text}\n`);
    expect(row!.completions[1]).toEqual(row!.completions[0]);
    expect(row!.prompt).toEqual([{ role: "user", content: QUESTION }]);
  });

  test("the same seed, the same text; another, another", async () => {
    const texts: string[] = [];
    for (const seed of ["1", "1", "2"]) texts.push((await generate("--prompt", QUESTION, "--seed", seed)).stdout);
    expect(texts[0]).toBe(texts[1]);
    expect(texts[0]).not.toBe(texts[2]);
  });

  test("--raw gives the text without the chat template, --stop ends before a text", async () => {
    const greedy = ["--prompt", "a", "--temperature", "0"];
    const chat = (await generate(...greedy)).stdout;
    const raw = (await generate(...greedy, "--raw")).stdout;
    expect(raw).not.toBe(chat);
    const stop = raw.slice(2, 4);
    expect((await generate(...greedy, "--raw", "--stop", stop)).stdout).toBe(`${raw.slice(0, raw.indexOf(stop))}\n`);
  });
});

describe("--input", () => {
  test("one line of JSON per prompt, in order, whatever its column", async () => {
    const messages = [{ role: "user", content: "hi" }];
    const prompts = [{ problem: QUESTION }, { messages }, { question: "b" }, { prompt: "c" }];
    writeFileSync(input, prompts.map((prompt) => `${JSON.stringify(prompt)}\n`).join(""));
    const { code, stdout, stderr } = await generate("--input", input, "-n", "3", "--seed", "5");
    expect([code, stderr]).toEqual([0, ""]);
    const rows = rowsOf(stdout);
    const ask = (content: string) => [{ role: "user", content }];
    expect(rows.map((row) => row.prompt)).toEqual([ask(QUESTION), messages, ask("b"), ask("c")]);
    for (const { completions } of rows) {
      expect(completions).toHaveLength(3);
      for (const { ids } of completions) expect(ids.length).toBeLessThanOrEqual(8);
    }
    expect((await generate("--input", input, "-n", "3", "--seed", "5")).stdout).toBe(stdout);
  });
});

describe("mistakes: one line, exit code 1, nothing on stdout", () => {
  test.each<[string, string[], RegExp]>([
    ["neither prompt nor file", [], /give either --prompt TEXT or --input FILE/],
    ["both", ["--prompt", "a", "--input", "b"], /give either --prompt TEXT or --input FILE/],
    ["no number", ["--prompt", "a", "--temperature", "warm"], /--temperature.*'warm' is invalid/],
    ["no temperature", ["--prompt", "a", "--temperature", "-1"], /temperature is -1, it must be 0, or 0.001 to 1000/],
    ["no completions", ["--prompt", "a", "-n", "0"], /-n is 0, it must be a whole number ≥ 1/],
    ["half a seed", ["--prompt", "a", "--seed", "1.5"], /--seed is 1.5/],
    ["chat and raw", ["--prompt", "a", "--chat", "--raw"], /give either --chat or --raw/],
    ["system prompt and raw", ["--prompt", "a", "--raw", "--system_prompt", "b"], /drop one of them/],
    ["a misspelt option", ["--prompt", "a", "--maxtokens", "3"], /'--maxtokens' \(did you mean --max_tokens\?\)/],
    ["a long prompt", ["--prompt", "x".repeat(100)], /the prompt has \d+ tokens, the model's context is 64: shorten/],
    ["no file", ["--input", "/nowhere.jsonl"], /\/nowhere.jsonl cannot be read: there is no such file/],
  ])("%s", async (_name, words, message) => {
    const { code, stdout, stderr } = await generate(...words);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^error: .*\n$/);
    expect(stderr).toMatch(message);
  });

  test.each([
    ["no prompt in a line", '{"a": 1}', /prompts.jsonl:2: none of prompt, problem, question, messages .*it has: a\)/],
    ["a prompt that is a number", '{"prompt": 1}', /prompts.jsonl:2.*column "prompt" is a number/],
    ["a prompt that is too long", `{"prompt": "${"x".repeat(100)}"}`, /prompts.jsonl:2\) has \d+ tokens/],
    ["no JSON", "hello", /prompts.jsonl:2: not JSON/],
  ])("%s", async (_name, line, message) => {
    writeFileSync(input, `{"prompt": "a"}\n${line}\n`);
    const { code, stdout, stderr } = await generate("--input", input);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(message);
  });

  test("--system_prompt and --chat without a chat template name the ways to give one", async () => {
    const plain = path.join(folder, "plain");
    cpSync(model, plain, { recursive: true });
    writeFileSync(path.join(plain, "tokenizer_config.json"), '{"tokenizer_class": "PreTrainedTokenizerFast"}');
    for (const option of [["--chat"], ["--system_prompt", "Be brief."]]) {
      const { code, stderr } = await run("generate", "--model", plain, "--prompt", "a", ...option);
      expect(code).toBe(1);
      expect(stderr).toMatch(/chat template/);
    }
  });
});
