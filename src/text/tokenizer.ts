/**
 * The tokenizer of a model folder: tokenizer.json by @huggingface/tokenizers, and what its neighbour files add.
 * We filter special and unknown ids ourselves: the library looks specials up in a list per token, turns an
 * unknown id into `undefined`, and refuses an empty list.
 */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { shortened, UserError } from "../errors.js";
import { type ChatTemplate, compileChatTemplate, missingChatTemplate } from "./chat.js";
import { type Json, readJsonFile, readSettings, SPECIAL_TOKEN_KEYS, type TokenizerSettings } from "./config.js";
import { createLibraryTokenizer, type LibraryTokenizer } from "./library.js";
import { withTimeLimit } from "./time-limit.js";
import type { ChatMessage, ChatTemplateOptions, DecodeOptions, EncodeOptions, Tokenizer } from "./types.js";

/** Of one text. A call's limit grows with the text, slower than any machine's tokenizer is. */
const MOST_CHARACTERS = 4 * 2 ** 20;
const LIMIT_MS = 3000;
const CHARACTERS_A_MS = 100;
const LOAD_LIMIT_MS = 60_000;
const MOST_IDS = 2 ** 24;

export interface TokenizerOptions {
  /** Jinja source of a chat template instead of the folder's own. */
  chatTemplate?: string | null;
}

/**
 * Reads tokenizer.json, tokenizer_config.json, special_tokens_map.json, generation_config.json and
 * chat_template.jinja (all but the first optional) from a model folder.
 * @throws UserError when the folder or tokenizer.json is missing, or cannot be understood.
 */
export function loadTokenizer(dir: string, options: TokenizerOptions = {}): Tokenizer {
  if (!existsSync(dir) || !statSync(dir).isDirectory()) {
    throw new UserError(`no folder ${dir}: give the folder that holds the model's tokenizer.json`);
  }
  const path = join(dir, "tokenizer.json");
  const definition = readJsonFile(path);
  if (definition === undefined) {
    throw new UserError(
      `${dir} has no tokenizer.json: copy it from the model's repository, or save the tokenizer again with ` +
        `transformers (save_pretrained writes it for fast tokenizers)`,
    );
  }
  const settings = readSettings(dir);
  settings.chatTemplate = options.chatTemplate ?? settings.chatTemplate;
  return new FolderTokenizer(dir, readLibraryTokenizer(path, definition, settings), settings, definition);
}

function readLibraryTokenizer(path: string, definition: Json, settings: TokenizerSettings): LibraryTokenizer {
  checkIds(definition, path);
  try {
    return withTimeLimit(LOAD_LIMIT_MS, () => createLibraryTokenizer(definition, settings.raw));
  } catch (error) {
    throw new UserError(`${path} is not a tokenizer that can be read: ${(error as Error).message}`);
  }
}

/** The library makes a list up to the highest id. */
function checkIds({ model, added_tokens: added }: Json, path: string): void {
  const vocab = (model as { vocab?: unknown } | undefined)?.vocab;
  const isTable = typeof vocab === "object" && vocab !== null && !Array.isArray(vocab);
  const ids = isTable ? Object.entries(vocab as Record<string, unknown>) : [];
  for (const token of Array.isArray(added) ? added : []) ids.push([String(token?.content), token?.id]);
  const wrong = ids.find(([, id]) => !Number.isInteger(id) || (id as number) < 0 || (id as number) >= MOST_IDS);
  if (wrong === undefined) return;
  const [token, id] = wrong;
  throw new UserError(
    `${path} gives the token ${shortened(JSON.stringify(token))} the id ${shortened(JSON.stringify(id) ?? "undefined")}: a whole number below ${MOST_IDS} is needed`,
  );
}

function tooLong(characters: number): UserError {
  return new UserError(
    `a text of ${characters} characters is too long to tokenize, ${MOST_CHARACTERS} at most: shorten it or leave it out`,
  );
}

class FolderTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly eosTokenIds: readonly number[];
  readonly eosTokenId: number | undefined;
  readonly padTokenId: number | undefined;
  readonly bosTokenId: number | undefined;
  readonly chatTemplate: string | undefined;
  readonly #special: ReadonlySet<number>;
  /** Decoding runs for every token that is drawn: only decoders with regular expressions are watched. */
  readonly #decodesByPattern: boolean;
  #compiled: ChatTemplate | undefined;

  constructor(
    private readonly dir: string,
    private readonly library: LibraryTokenizer,
    private readonly settings: TokenizerSettings,
    definition: Json,
  ) {
    this.vocabSize = Math.max(-1, ...maxIds(library)) + 1;
    this.eosTokenId = this.#namedId("eos_token");
    this.bosTokenId = this.#namedId("bos_token");
    this.padTokenId = this.#namedId("pad_token") ?? this.eosTokenId;
    const eos = this.eosTokenId === undefined ? [] : [this.eosTokenId];
    this.eosTokenIds = [...new Set([...eos, ...settings.generationEosIds])];
    this.chatTemplate = settings.chatTemplate;
    this.#special = specialIds(library, settings);
    this.#decodesByPattern = JSON.stringify(definition.decoder ?? null).includes('"Regex"');
  }

  encode(text: string, { addSpecialTokens = false }: EncodeOptions = {}): number[] {
    if (text.length > MOST_CHARACTERS) throw tooLong(text.length);
    const { ids } = this.#limited("tokenize", text.length, () =>
      this.library.encode(text, { add_special_tokens: addSpecialTokens }),
    );
    // A model without an unknown token drops what it cannot spell, as the Rust library does.
    return ids.filter((id) => id !== undefined);
  }

  decode(ids: readonly number[], { skipSpecialTokens = true }: DecodeOptions = {}): string {
    const kept = ids.filter(
      (id) => this.tokenString(id) !== undefined && !(skipSpecialTokens && this.#special.has(id)),
    );
    if (kept.length === 0) return "";
    const decode = () => this.library.decode(kept, { skip_special_tokens: false });
    return this.#decodesByPattern ? this.#limited("decode", kept.length, decode) : decode();
  }

  tokenString(id: number): string | undefined {
    return this.library.id_to_token(id);
  }

  tokenId(token: string): number | undefined {
    return this.library.token_to_id(token);
  }

  isSpecial(id: number): boolean {
    return this.#special.has(id);
  }

  applyChatTemplate(messages: readonly ChatMessage[], options?: ChatTemplateOptions): string {
    if (this.chatTemplate === undefined) throw missingChatTemplate(this.dir);
    const size = messages.reduce((sum, { content }) => sum + (typeof content === "string" ? content.length : 0), 0);
    if (size > MOST_CHARACTERS) throw tooLong(size);
    this.#compiled ??= compileChatTemplate(this.chatTemplate, this.settings.named, this.dir);
    return this.#compiled.render(messages, options);
  }

  /** Its regular expressions are other people's; `size` is of the text, or in tokens. */
  #limited<T>(what: string, size: number, body: () => T): T {
    try {
      return withTimeLimit(LIMIT_MS + size / CHARACTERS_A_MS, body);
    } catch (error) {
      throw new UserError(
        `${join(this.dir, "tokenizer.json")} cannot ${what} ${size} characters: ${shortened((error as Error).message)}`,
      );
    }
  }

  #namedId(key: (typeof SPECIAL_TOKEN_KEYS)[number]): number | undefined {
    const token = this.settings.named[key];
    if (token === undefined) return undefined;
    const id = this.library.token_to_id(token);
    if (id === undefined) {
      throw new UserError(`${this.dir}: ${key} ${JSON.stringify(token)} is not in tokenizer.json's vocabulary`);
    }
    return id;
  }
}

function maxIds(library: LibraryTokenizer): number[] {
  let highest = -1;
  for (const id of library.get_vocab(true).values()) if (id > highest) highest = id;
  return [highest, ...library.get_added_tokens_decoder().keys()];
}

function specialIds(library: LibraryTokenizer, settings: TokenizerSettings): Set<number> {
  const special = new Set<number>();
  for (const [id, token] of library.get_added_tokens_decoder()) if (token.special) special.add(id);
  const named = SPECIAL_TOKEN_KEYS.map((key) => settings.named[key]);
  for (const token of [...named, ...settings.additional]) {
    const id = token === undefined ? undefined : library.token_to_id(token);
    if (id !== undefined) special.add(id);
  }
  return special;
}
