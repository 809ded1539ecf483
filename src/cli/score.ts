/** `open-rs score --model DIR --input F.jsonl`: log-probabilities of given tokens, JSON lines on stdout in the input's order. */
import type { Command } from "commander";
import type { CausalLM } from "../model/index.js";
import type { Tokenizer } from "../text/index.js";
import { deviceOption, dtypeOption, type ModelOptions, modelOptions } from "./model-options.js";

interface ScoreOptions extends ModelOptions {
  input: string;
}

const EXAMPLES = `
Examples:
  $ open-rs score --model DIR --input texts.jsonl                   {"text": "2 + 2 = 4"} → {"logprobs": [-1.2, …]}
  $ open-rs score --model DIR --input tokens.jsonl --dtype float32  {"ids": [17, 488, 17]} → {"logprobs": [-3.1, -0.2]}`;

export default function register(program: Command): Command {
  return program
    .command("score")
    .description(
      "log-probability of each token after the first, given those before it: a line of JSON per line of input",
    )
    .requiredOption("--model <dir>", "folder of a model, or its name on the Hugging Face hub")
    .requiredOption("--input <file>", 'JSONL file of {"ids": […]} or {"text": …} lines (no special tokens are added)')
    .addOption(dtypeOption())
    .addOption(deviceOption())
    .addHelpText("after", EXAMPLES)
    .action(score);
}

/** Lines read before they are scored: enough to put like lengths together, few enough to answer soon. */
const WINDOW = 512;
/** Padded tokens of one forward pass. */
const PLAN = { maxTokens: 8192, overhead: 64 };

async function score(options: ScoreOptions): Promise<void> {
  const [{ loadModel }, { readJsonLines }, { resolveModelFolder }] = await Promise.all([
    import("../model/index.js"),
    import("../data/jsonl.js"),
    import("../model/hub.js"),
  ]);
  const folder = await resolveModelFolder(options.model);
  const model = loadModel(folder, await modelOptions(options));
  const encode = await lazyEncoder(folder);
  let window: number[][] = [];
  for await (const { value, line } of readJsonLines(options.input)) {
    window.push(await idsOf(value, `${options.input}:${line}`, model, encode));
    if (window.length < WINDOW) continue;
    await printScores(model, window);
    window = [];
  }
  await printScores(model, window);
}

type Encode = (text: string) => number[];

/** The tokenizer is read when a line first needs it: {"ids"} lines work without one. */
async function lazyEncoder(folder: string): Promise<Encode> {
  const { loadTokenizer } = await import("../text/index.js");
  let tokenizer: Tokenizer | undefined;
  return (text) => {
    tokenizer ??= loadTokenizer(folder);
    return tokenizer.encode(text);
  };
}

async function idsOf(
  value: Record<string, unknown>,
  place: string,
  model: CausalLM,
  encode: Encode,
): Promise<number[]> {
  const { UserError } = await import("../errors.js");
  const { vocabSize, maxPositions } = model.config;
  const { ids: given, text } = value;
  if (given === undefined && typeof text !== "string")
    throw new UserError(`${place}: neither "ids" nor a string "text": give {"ids": […]} or {"text": "…"}`);
  const ids: unknown = given ?? encode(String(text));
  if (!Array.isArray(ids)) throw new UserError(`${place}: "ids" is no list of token ids`);
  const alien = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize);
  if (alien !== undefined)
    throw new UserError(`${place}: ${JSON.stringify(alien)} is no token id of this model (0 to ${vocabSize - 1})`);
  if (ids.length > maxPositions)
    throw new UserError(`${place}: ${ids.length} tokens, the model's context is ${maxPositions}: shorten it`);
  return ids;
}

async function printScores(model: CausalLM, window: readonly number[][]): Promise<void> {
  if (window.length === 0) return;
  const { logprobsOf } = await import("../passes/logprobs.js");
  const lines = logprobsOf(model, window, PLAN).map((logprobs) => `${JSON.stringify({ logprobs })}\n`);
  process.stdout.write(lines.join(""));
}
