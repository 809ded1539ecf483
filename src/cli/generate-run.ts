import { makePrompts, type Prompt, type Row, readJsonLines } from "../data/index.js";
import { placeOf, rowName, setPlace } from "../data/places.js";
import { type Completion, Engine, type GenerateOptions } from "../engine/index.js";
import { UserError } from "../errors.js";
import { resolveModelFolder } from "../model/hub.js";
import { loadModel } from "../model/index.js";
import { loadTokenizer, StreamDecoder, type Tokenizer } from "../text/index.js";
import { type ModelOptions, modelOptions } from "./model-options.js";

/** The options of `open-rs generate`. */
export interface GenerateRequest extends ModelOptions {
  prompt?: string;
  input?: string;
  n: number;
  max_tokens: number;
  temperature: number;
  top_p: number;
  top_k: number;
  min_p: number;
  repetition_penalty: number;
  stop?: string[];
  seed?: number;
  chat?: true;
  raw?: true;
  system_prompt?: string;
}

/** Sequences started together: an answer's lines come when all of its window are done. */
const WINDOW = 512;

export async function generate(request: GenerateRequest): Promise<void> {
  check(request);
  const folder = await resolveModelFolder(request.model);
  const tokenizer = loadTokenizer(folder);
  // Prompts first: a wrong line or a missing template is told before the weights are read.
  const rows = await rowsOf(request);
  const prompts = makePrompts(rows, {
    tokenizer,
    promptFormat: formatOf(request, tokenizer),
    systemPrompt: request.system_prompt,
  }).prompts;
  const model = loadModel(folder, await modelOptions(request));
  checkRoom(prompts, model.config.maxPositions);
  const engine = new Engine(model, tokenizer);
  const options = samplingOf(request);
  if (request.prompt !== undefined && request.n === 1) await streamOne(engine, prompts[0]!, options);
  else await writeLines(engine, prompts, options, request);
}

function check({ prompt, input, chat, raw, system_prompt, n, seed }: GenerateRequest): void {
  if ((prompt === undefined) === (input === undefined))
    throw new UserError("give either --prompt TEXT or --input FILE");
  if (raw && system_prompt !== undefined)
    throw new UserError("--system_prompt goes through the chat template, which --raw declines: drop one of them");
  if (chat && raw) throw new UserError("give either --chat or --raw, not both");
  if (!Number.isInteger(n) || n < 1) throw new UserError(`-n is ${n}, it must be a whole number ≥ 1`);
  if (seed !== undefined && !Number.isSafeInteger(seed))
    throw new UserError(`--seed is ${seed}, it must be a whole number`);
}

const COLUMNS = ["prompt", "problem", "question", "messages"];

/** Rows with the column "prompt", that know their line. */
async function rowsOf({ prompt, input }: GenerateRequest): Promise<Row[]> {
  if (input === undefined) return [{ prompt }];
  const rows: Row[] = [];
  for await (const { value, line } of readJsonLines(input)) {
    const column = COLUMNS.find((name) => Object.hasOwn(value, name));
    if (column === undefined) {
      const keys = Object.keys(value).join(", ") || "nothing";
      throw new UserError(`${input}:${line}: none of ${COLUMNS.join(", ")} in this line (it has: ${keys})`);
    }
    rows.push(setPlace({ prompt: value[column] }, `${input}:${line}`));
  }
  if (rows.length === 0) throw new UserError(`${input} has no lines`);
  return rows;
}

function checkRoom(prompts: readonly Prompt[], context: number): void {
  for (const { ids, row, index } of prompts) {
    if (ids.length < context) continue;
    const name = placeOf(row) === undefined ? "the prompt" : rowName(row, index);
    throw new UserError(`${name} has ${ids.length} tokens, the model's context is ${context}: shorten it`);
  }
}

/** Text goes through the chat template where there is one; --chat and --system_prompt insist on it (and fail without), --raw declines. */
function formatOf({ chat, raw, system_prompt }: GenerateRequest, tokenizer: Tokenizer): "chat" | "text" {
  return raw || (!chat && system_prompt === undefined && tokenizer.chatTemplate === undefined) ? "text" : "chat";
}

function samplingOf(request: GenerateRequest): GenerateOptions {
  return {
    maxTokens: request.max_tokens,
    temperature: request.temperature,
    topP: request.top_p,
    topK: request.top_k,
    minP: request.min_p,
    repetitionPenalty: request.repetition_penalty,
    stop: request.stop ?? [],
    seed: request.seed,
  };
}

/** Writes the completion as it grows. What may be the beginning of a stop text waits until it is certain not to be one. */
async function streamOne(engine: Engine, prompt: Prompt, options: GenerateOptions): Promise<void> {
  const decoder = new StreamDecoder(engine.tokenizer);
  const heldBack = Math.max(0, ...(options.stop ?? []).map((text) => text.length - 1));
  let text = "";
  let written = 0;
  const writeUpTo = (end: number) => {
    if (end <= written) return;
    process.stdout.write(text.slice(written, end));
    written = end;
  };
  const onToken = (_prompt: number, _completion: number, id: number) => {
    text += decoder.push(id);
    const stops = (options.stop ?? []).map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
    writeUpTo(Math.min(text.length - heldBack, ...stops));
  };
  const [completions] = await engine.generate([prompt.ids], { ...options, onToken });
  text = completions?.[0]?.text ?? "";
  writeUpTo(text.length);
  process.stdout.write("\n");
}

async function writeLines(
  engine: Engine,
  prompts: readonly Prompt[],
  options: GenerateOptions,
  { n, seed }: GenerateRequest,
): Promise<void> {
  const size = Math.max(1, Math.floor(WINDOW / n));
  for (let start = 0; start < prompts.length; start += size) {
    const window = prompts.slice(start, start + size);
    // Seeded once: the next window goes on in the same stream of random numbers.
    const completions = await engine.generate(
      window.map(({ ids }) => ids),
      { ...options, n, seed: start === 0 ? seed : undefined },
    );
    const lines = window.map((prompt, i) => lineOf(prompt, completions[i]!));
    process.stdout.write(lines.join(""));
    if (prompts.length > size)
      process.stderr.write(`${Math.min(start + size, prompts.length)}/${prompts.length} prompts\n`);
  }
}

function lineOf(prompt: Prompt, completions: readonly Completion[]): string {
  const answers = completions.map(({ text, ids, stopReason }) => ({ text, ids, stop_reason: stopReason }));
  return `${JSON.stringify({ prompt: prompt.source, completions: answers })}\n`;
}
