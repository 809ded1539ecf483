/**
 * The tokenizer of a model folder: tokenizer.json by @huggingface/tokenizers, and what its neighbour files add.
 * We filter special and unknown ids ourselves: the library looks specials up in a list per token, turns an
 * unknown id into `undefined`, and refuses an empty list.
 */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.js";
import { type ChatTemplate, compileChatTemplate, missingChatTemplate } from "./chat.js";
import { type Json, readJsonFile, readSettings, SPECIAL_TOKEN_KEYS, type TokenizerSettings } from "./config.js";
import { createLibraryTokenizer, type LibraryTokenizer } from "./library.js";
import type { ChatMessage, ChatTemplateOptions, DecodeOptions, EncodeOptions, Tokenizer } from "./types.js";

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
  return new FolderTokenizer(dir, readLibraryTokenizer(path, definition, settings), settings);
}

function readLibraryTokenizer(path: string, definition: Json, settings: TokenizerSettings): LibraryTokenizer {
  try {
    return createLibraryTokenizer(definition, settings.raw);
  } catch (error) {
    throw new UserError(`${path} is not a tokenizer that can be read: ${(error as Error).message}`);
  }
}

class FolderTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly eosTokenIds: readonly number[];
  readonly eosTokenId: number | undefined;
  readonly padTokenId: number | undefined;
  readonly bosTokenId: number | undefined;
  readonly chatTemplate: string | undefined;
  readonly #special: ReadonlySet<number>;
  #compiled: ChatTemplate | undefined;

  constructor(
    private readonly dir: string,
    private readonly library: LibraryTokenizer,
    private readonly settings: TokenizerSettings,
  ) {
    this.vocabSize = Math.max(-1, ...maxIds(library)) + 1;
    this.eosTokenId = this.#namedId("eos_token");
    this.bosTokenId = this.#namedId("bos_token");
    this.padTokenId = this.#namedId("pad_token") ?? this.eosTokenId;
    const eos = this.eosTokenId === undefined ? [] : [this.eosTokenId];
    this.eosTokenIds = [...new Set([...eos, ...settings.generationEosIds])];
    this.chatTemplate = settings.chatTemplate;
    this.#special = specialIds(library, settings);
  }

  encode(text: string, { addSpecialTokens = false }: EncodeOptions = {}): number[] {
    const { ids } = this.library.encode(text, { add_special_tokens: addSpecialTokens });
    // A model without an unknown token drops what it cannot spell, as the Rust library does.
    return ids.filter((id) => id !== undefined);
  }

  decode(ids: readonly number[], { skipSpecialTokens = true }: DecodeOptions = {}): string {
    const kept = ids.filter(
      (id) => this.tokenString(id) !== undefined && !(skipSpecialTokens && this.#special.has(id)),
    );
    return kept.length === 0 ? "" : this.library.decode(kept, { skip_special_tokens: false });
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
    this.#compiled ??= compileChatTemplate(this.chatTemplate, this.settings.named, this.dir);
    return this.#compiled.render(messages, options);
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
