/** Rows to prompts: which column asks, chat template or plain text, and what happens to prompts that are too long. */
import { UserError } from "../errors.js";
import { encodePlain } from "../text/plain.js";
import type { ChatMessage, Tokenizer } from "../text/types.js";
import { missingColumn } from "./dataset.js";
import { rowName } from "./places.js";
import { mapRows } from "./rows.js";
import type { Prompt, Row } from "./types.js";

export interface PromptOptions {
  tokenizer: Tokenizer;
  /** Column that asks; null (default) takes the first of `prompt`, `problem`, `question`, `messages` that the first row has. */
  promptColumn?: string | null;
  /** Put before the conversation as a system message, unless the row's messages bring their own. */
  systemPrompt?: string | null;
  /** Text around the question; every {{column}} is replaced by the row's value: "Solve: {{problem}}". */
  promptTemplate?: string;
  /**
   * "chat": through the model's chat template. "text": as it is. "auto" (default): messages and questions are chat; a
   * string in a column named `prompt` is text when no system prompt is set (as TRL takes it).
   */
  promptFormat?: "auto" | "chat" | "text";
  /** Further variables for the chat template. */
  chatVariables?: Record<string, unknown>;
  /** 0-based places of the rows in their data set, where some were left out. Default: their places in the list. */
  indices?: readonly number[];
  /** In tokens. Default: no limit. */
  maxPromptLength?: number | null;
  /** "drop" (default) leaves a longer prompt out; "cut" keeps its last tokens (as TRL does). */
  onLongPrompt?: "drop" | "cut";
}

export interface Prompts {
  prompts: Prompt[];
  /** How many prompts were longer than maxPromptLength and left out … */
  dropped: number;
  /** … or cut. */
  cut: number;
}

const PROMPT_COLUMNS = ["prompt", "problem", "question", "messages"];

/** @throws UserError for no rows, a row without a usable prompt (with its number), or when every prompt is dropped */
export function makePrompts(rows: readonly Row[], options: PromptOptions): Prompts {
  if (rows.length === 0) throw new UserError("the dataset has no rows to make prompts of");
  const column = promptColumn(rows[0], options.promptColumn);
  const limit = options.maxPromptLength ?? Number.POSITIVE_INFINITY;
  const made: Prompts = { prompts: [], dropped: 0, cut: 0 };
  let shortest = Number.POSITIVE_INFINITY;
  const all = mapRows(rows, (row, index) => makePrompt(row, index, column, options), options.indices);
  for (const prompt of all) {
    shortest = Math.min(shortest, prompt.ids.length);
    if (prompt.ids.length <= limit) made.prompts.push(prompt);
    else if (options.onLongPrompt === "cut") made.prompts.push(cutPrompt(prompt, limit, options.tokenizer));
    else made.dropped += 1;
    if (prompt.ids.length > limit && options.onLongPrompt === "cut") made.cut += 1;
  }
  if (made.prompts.length === 0) {
    throw new UserError(
      `all ${rows.length} prompts are longer than max_prompt_length ${limit} (the shortest has ${shortest} tokens): ` +
        `raise it, or cut prompts instead of dropping them`,
    );
  }
  return made;
}

function promptColumn(first: Row, wanted: string | null | undefined): string {
  if (wanted) return wanted;
  const column = PROMPT_COLUMNS.find((name) => Object.hasOwn(first, name));
  if (column !== undefined) return column;
  throw new UserError(
    `${rowName(first, 0)} has none of the columns ${PROMPT_COLUMNS.join(", ")} (it has: ${Object.keys(first).join(", ")}): ` +
      `set dataset_prompt_column`,
  );
}

function makePrompt(row: Row, index: number, column: string, options: PromptOptions): Prompt {
  const { tokenizer, chatVariables } = options;
  const source = promptSource(row, index, column, options);
  const text =
    typeof source === "string"
      ? source
      : tokenizer.applyChatTemplate(source, { addGenerationPrompt: true, variables: chatVariables });
  const ids = typeof source === "string" ? encodePlain(tokenizer, text) : tokenizer.encode(text);
  if (text === "" || ids.length === 0)
    throw new UserError(`${rowName(row, index)}: the prompt in column "${column}" is empty`);
  return { index, source, text, ids, row };
}

/** TRL cuts at the left: the question's end and the opening of the answer stay. */
function cutPrompt(prompt: Prompt, limit: number, tokenizer: Tokenizer): Prompt {
  const ids = prompt.ids.slice(-limit);
  return { ...prompt, ids, text: tokenizer.decode(ids, { skipSpecialTokens: false }) };
}

function promptSource(row: Row, index: number, column: string, options: PromptOptions): string | ChatMessage[] {
  const { systemPrompt, promptFormat = "auto", promptTemplate } = options;
  if (!Object.hasOwn(row, column)) throw missingColumn(row, index, column, "the prompt");
  const value = row[column];
  if (Array.isArray(value)) return conversation(value, row, index, column, systemPrompt);
  if (typeof value !== "string") {
    const kind = value === null ? "null" : `a ${typeof value}`;
    throw new UserError(
      `${rowName(row, index)}: column "${column}" is ${kind}; a prompt is text or a list of messages`,
    );
  }
  const text = promptTemplate === undefined ? value : fillTemplate(promptTemplate, row, index);
  const isPlain = promptFormat === "text" || (promptFormat === "auto" && column === "prompt" && !systemPrompt);
  return isPlain ? text : withSystem([{ role: "user", content: text }], systemPrompt);
}

function withSystem(messages: ChatMessage[], systemPrompt: string | null | undefined): ChatMessage[] {
  if (!systemPrompt || messages[0]?.role === "system") return messages;
  return [{ role: "system", content: systemPrompt }, ...messages];
}

function conversation(
  value: readonly unknown[],
  row: Row,
  index: number,
  column: string,
  systemPrompt: string | null | undefined,
): ChatMessage[] {
  const where = `${rowName(row, index)}: column "${column}"`;
  const wrong = value.findIndex((message) => !isMessage(message));
  if (wrong >= 0) throw new UserError(`${where}: message ${wrong + 1} has no text "role" and "content"`);
  const messages = value as ChatMessage[];
  const last = messages.at(-1);
  if (last === undefined) throw new UserError(`${where} holds no messages`);
  if (last.role === "assistant") {
    throw new UserError(`${where} ends with the assistant's turn: a prompt ends with the turn to be answered`);
  }
  return withSystem([...messages], systemPrompt);
}

function isMessage(value: unknown): value is ChatMessage {
  if (typeof value !== "object" || value === null) return false;
  const { role, content } = value as Record<string, unknown>;
  return typeof role === "string" && typeof content === "string";
}

/** Replaces every {{column}}. Two braces, because \boxed{answer} in a template must not give the answer away. */
function fillTemplate(template: string, row: Row, index: number): string {
  return template.replace(/\{\{\s*([A-Za-z_]\w*)\s*\}\}/g, (_braces, column: string) => {
    if (!Object.hasOwn(row, column)) throw missingColumn(row, index, column, "in prompt_template");
    const value = row[column];
    return typeof value === "string" ? value : JSON.stringify(value);
  });
}
