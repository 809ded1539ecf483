/**
 * What the JSON files beside tokenizer.json say: special tokens, end tokens, chat template.
 * Spellings differ by the transformers version that wrote them: a special token is a string or an object
 * with `content`; it stands in tokenizer_config.json or special_tokens_map.json; the template stands in
 * tokenizer_config.json (a string or a list of named ones) or in chat_template.jinja, which wins.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.js";
import { readTextFile } from "../files/regular.js";

export type Json = Record<string, unknown>;

export const SPECIAL_TOKEN_KEYS = ["bos_token", "eos_token", "pad_token", "unk_token"] as const;
export type SpecialTokenKey = (typeof SPECIAL_TOKEN_KEYS)[number];

export interface TokenizerSettings {
  /** tokenizer_config.json as read ({} when absent). */
  raw: Json;
  named: Partial<Record<SpecialTokenKey, string>>;
  /** Special tokens beyond the named ones. */
  additional: string[];
  chatTemplate: string | undefined;
  /** `eos_token_id` of generation_config.json, or else of config.json. */
  generationEosIds: number[];
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads a JSON object; undefined when the file is absent, UserError when it is not one. */
export function readJsonFile(path: string): Json | undefined {
  if (!existsSync(path)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readTextFile(path));
  } catch (error) {
    throw new UserError(`${path} cannot be read: ${(error as Error).message}. Copy or download it again.`);
  }
  if (!isObject(value)) throw new UserError(`${path} holds no JSON object. Copy or download it again.`);
  return value;
}

function tokenContent(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return isObject(value) && typeof value.content === "string" ? value.content : undefined;
}

function tokenList(value: unknown): string[] {
  const items = Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];
  return items.map(tokenContent).filter((token) => token !== undefined);
}

function namedTemplate(templates: readonly unknown[], path: string): string | undefined {
  const named = templates.filter(isObject);
  const chosen = named.find((entry) => entry.name === "default") ?? (named.length === 1 ? named[0] : undefined);
  if (chosen === undefined && named.length > 0) {
    const names = named.map((entry) => String(entry.name)).join(", ");
    throw new UserError(`${path} holds chat templates ${names} but none named "default": rename one.`);
  }
  return typeof chosen?.template === "string" ? chosen.template : undefined;
}

function readChatTemplate(dir: string, config: Json): string | undefined {
  const file = join(dir, "chat_template.jinja");
  if (existsSync(file)) return readTextFile(file);
  const value = config.chat_template;
  if (Array.isArray(value)) return namedTemplate(value, join(dir, "tokenizer_config.json"));
  return typeof value === "string" ? value : undefined;
}

function idList(value: unknown): number[] {
  const items = Array.isArray(value) ? value : [value];
  return items.filter((id): id is number => typeof id === "number" && Number.isInteger(id));
}

export function readSettings(dir: string): TokenizerSettings {
  const raw = readJsonFile(join(dir, "tokenizer_config.json")) ?? {};
  const map = readJsonFile(join(dir, "special_tokens_map.json")) ?? {};
  const named: TokenizerSettings["named"] = {};
  for (const key of SPECIAL_TOKEN_KEYS) {
    const token = tokenContent(raw[key]) ?? tokenContent(map[key]);
    if (token !== undefined) named[key] = token;
  }
  const additional = [raw, map].flatMap((source) => [
    ...tokenList(source.additional_special_tokens),
    ...tokenList(source.extra_special_tokens),
  ]);
  const generation = readJsonFile(join(dir, "generation_config.json"));
  const model = readJsonFile(join(dir, "config.json"));
  return {
    raw,
    named,
    additional,
    chatTemplate: readChatTemplate(dir, raw),
    generationEosIds: idList(generation?.eos_token_id ?? model?.eos_token_id),
  };
}
