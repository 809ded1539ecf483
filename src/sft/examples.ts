/** Rows of a dataset → token sequences to learn. */
import { makePrompts, mapRows, type Prompt, type Row, rowName } from "../data/index.js";
import { UserError } from "../errors.js";
import type { SftRecipe } from "../recipe/index.js";
import type { ChatMessage, Tokenizer } from "../text/index.js";
import { encodePlain } from "../text/plain.js";
import { mapWithTimeLimits } from "../text/time-limit.js";
import { type Example, learntTokens } from "./types.js";

export type ExampleKeys = Pick<
  SftRecipe,
  | "dataset_prompt_column"
  | "dataset_completion_column"
  | "dataset_text_field"
  | "completion_only_loss"
  | "system_prompt"
  | "chat_template_kwargs"
  | "max_length"
>;

export interface ExampleOptions {
  tokenizer: Tokenizer;
  keys: ExampleKeys;
  /** The model's context: nothing is longer. */
  maxPositions: number;
}

export interface Examples {
  examples: Example[];
  /** Examples longer than the limit, which lost their end … */
  cut: number;
  /** … and those of which nothing to learn was left. */
  dropped: number;
}

const MESSAGES = "messages";

/**
 * Three kinds of rows, told by the columns: a prompt and its completion, `messages`, or plain text. Every example ends with the end
 * token, so that the model learns to stop.
 * @throws UserError for rows of none of these, a row that differs, or when nothing is left to learn
 */
export function makeExamples(rows: readonly Row[], options: ExampleOptions): Examples {
  const { keys, maxPositions } = options;
  const limit = Math.min(keys.max_length ?? Number.POSITIVE_INFINITY, maxPositions);
  const made: Examples = { examples: [], cut: 0, dropped: 0 };
  for (const whole of encodeRows(rows, options)) {
    const ids = whole.ids.length > limit ? whole.ids.slice(0, limit) : whole.ids;
    const example = { ids, from: Math.min(whole.from, ids.length) };
    if (learntTokens(example) === 0) made.dropped += 1;
    else made.examples.push(example);
    if (ids !== whole.ids && learntTokens(example) > 0) made.cut += 1;
  }
  if (made.examples.length > 0) return made;
  throw new UserError(
    `none of the ${rows.length} rows leaves a token to learn within ${limit} tokens: raise max_length, or look at the data`,
  );
}

function encodeRows(rows: readonly Row[], options: ExampleOptions): Iterable<Example> {
  const { dataset_completion_column: completion, dataset_text_field: text, completion_only_loss: only } = options.keys;
  const first = rows[0];
  if (first === undefined) throw new UserError("the dataset has no rows to learn from");
  if (Object.hasOwn(first, completion)) return completionRows(rows, options);
  if (Object.hasOwn(first, MESSAGES)) return mapRows(rows, (row, i) => conversation(row, i, options));
  if (Object.hasOwn(first, text)) {
    if (only !== true) return mapRows(rows, (row, i) => plainText(row, i, options));
    throw new UserError(
      `completion_only_loss is true, but the rows have no column "${completion}": give one, or set it to false`,
    );
  }
  throw new UserError(
    `${rowName(first, 0)} has none of the columns "${completion}", "${MESSAGES}", "${text}" (it has: ` +
      `${Object.keys(first).join(", ")}): set dataset_completion_column, dataset_text_field or column_mapping`,
  );
}

// ---- a prompt and its completion ----

function completionRows(rows: readonly Row[], options: ExampleOptions): Example[] {
  const { tokenizer, keys } = options;
  const { prompts } = makePrompts(rows, {
    tokenizer,
    promptColumn: keys.dataset_prompt_column,
    systemPrompt: keys.system_prompt,
    chatVariables: keys.chat_template_kwargs,
  });
  return mapWithTimeLimits(prompts, (prompt) => {
    const text = completionText(prompt, options);
    const example = continuePrompt(prompt, text, tokenizer);
    return keys.completion_only_loss === false ? { ...example, from: 1 } : example;
  });
}

function completionText(prompt: Prompt, options: ExampleOptions): string {
  const column = options.keys.dataset_completion_column;
  const value = prompt.row[column];
  if (typeof value === "string") return value;
  const where = `${rowName(prompt.row, prompt.index)}: column "${column}"`;
  if (!isConversation(value)) throw new UserError(`${where} is neither text nor a list of messages`);
  if (typeof prompt.source === "string")
    throw new UserError(`${where} holds messages, but the prompt is text: give both in the same form`);
  return renderedAnswer(prompt.source, value, prompt.text, options, where);
}

/** What the chat template writes after the prompt. */
function renderedAnswer(
  prompt: readonly ChatMessage[],
  answer: readonly ChatMessage[],
  promptText: string,
  { tokenizer, keys }: ExampleOptions,
  where: string,
): string {
  const whole = tokenizer.applyChatTemplate([...prompt, ...answer], { variables: keys.chat_template_kwargs });
  if (whole.startsWith(promptText)) return whole.slice(promptText.length);
  const [only, ...others] = answer;
  if (only === undefined || others.length > 0)
    throw new UserError(`${where}: the chat template writes the prompt differently when these messages follow it`);
  // Templates of reasoning models open the thinking in the prompt and leave it out of past answers (DeepSeek-R1). What the model
  // must learn is what it will have to write after the prompt: the content itself.
  const opened = /<think>\s*$/.test(promptText);
  return opened ? only.content.replace(/^\s*<think>\s*/, "") : only.content;
}

/**
 * Prompt and completion are encoded together, as TRL does. Where that merges their characters into one token, they are encoded apart:
 * the sampler, too, will go on from the prompt's own tokens.
 */
function continuePrompt(prompt: Pick<Prompt, "ids" | "text" | "source">, text: string, tokenizer: Tokenizer): Example {
  const whole = prompt.text + text;
  const together = typeof prompt.source === "string" ? encodePlain(tokenizer, whole) : tokenizer.encode(whole);
  const agrees = prompt.ids.every((id, i) => together[i] === id);
  const ids = agrees ? together : [...prompt.ids, ...tokenizer.encode(text)];
  return { ids: ended(ids, prompt.ids.length, tokenizer), from: prompt.ids.length };
}

/** Adds the end token unless the text ends with one (but for spaces: Qwen's template writes a newline after it). */
function ended(ids: number[], from: number, tokenizer: Tokenizer): number[] {
  let last = ids.length - 1;
  while (last >= from && tokenizer.decode([ids[last]!], { skipSpecialTokens: false }).trim() === "") last -= 1;
  if (last >= from && tokenizer.eosTokenIds.includes(ids[last]!)) return ids;
  if (tokenizer.eosTokenId === undefined) {
    throw new UserError('the tokenizer names no end token: set "eos_token" in its tokenizer_config.json');
  }
  return [...ids, tokenizer.eosTokenId];
}

// ---- whole texts ----

/** TRL learns every token of `messages`; with completion_only_loss: true only the last answer. */
function conversation(row: Row, index: number, options: ExampleOptions): Example {
  const { tokenizer, keys } = options;
  const where = `${rowName(row, index)}: column "${MESSAGES}"`;
  const value = row[MESSAGES];
  if (!isConversation(value)) throw new UserError(`${where} is no list of messages with text "role" and "content"`);
  const messages = withSystem(value, keys.system_prompt);
  if (keys.completion_only_loss !== true) {
    const text = tokenizer.applyChatTemplate(messages, { variables: keys.chat_template_kwargs });
    return { ids: ended(tokenizer.encode(text), 0, tokenizer), from: 1 };
  }
  const asked = messages.slice(0, -1);
  const answer = messages.slice(-1);
  if (answer[0]?.role !== "assistant" || asked.length === 0)
    throw new UserError(`${where} does not end with an answer to learn: a message of role "assistant" after others`);
  const text = tokenizer.applyChatTemplate(asked, { addGenerationPrompt: true, variables: keys.chat_template_kwargs });
  const prompt = { text, source: asked, ids: tokenizer.encode(text) };
  return continuePrompt(prompt, renderedAnswer(asked, answer, text, options, where), tokenizer);
}

function plainText(row: Row, index: number, { tokenizer, keys }: ExampleOptions): Example {
  const value = row[keys.dataset_text_field];
  if (typeof value !== "string")
    throw new UserError(`${rowName(row, index)}: column "${keys.dataset_text_field}" is no text`);
  return { ids: ended(encodePlain(tokenizer, value), 0, tokenizer), from: 1 };
}

function withSystem(messages: readonly ChatMessage[], system: string | null): ChatMessage[] {
  if (!system || messages[0]?.role === "system") return [...messages];
  return [{ role: "system", content: system }, ...messages];
}

function isConversation(value: unknown): value is ChatMessage[] {
  return Array.isArray(value) && value.length > 0 && value.every(isMessage);
}

function isMessage(value: unknown): value is ChatMessage {
  if (typeof value !== "object" || value === null) return false;
  const { role, content } = value as Record<string, unknown>;
  return typeof role === "string" && typeof content === "string";
}
