/** One turn of a conversation, as Hugging Face chat templates read it. */
export interface ChatMessage {
  role: string;
  content: string;
  /** Templates may read further fields (`tool_calls`, `reasoning_content`, …). */
  [field: string]: unknown;
}

export interface EncodeOptions {
  /** Let the tokenizer's post-processor add its own tokens (a BOS, for instance). Default false, as TRL encodes prompts. */
  addSpecialTokens?: boolean;
}

export interface DecodeOptions {
  /** Leave special tokens (end of sentence, padding, …) out of the text. Default true. */
  skipSpecialTokens?: boolean;
}

export interface ChatTemplateOptions {
  /** End with the opening of the assistant's turn. Default false, as in transformers. */
  addGenerationPrompt?: boolean;
  /** Further variables for the template (`enable_thinking`, `tools`, …). */
  variables?: Record<string, unknown>;
}

/** Text to token ids and back, as the model's own folder defines it. */
export interface Tokenizer {
  /** Number of ids: the highest id + 1, added tokens included. A model's `vocab_size` is at least this. */
  readonly vocabSize: number;
  /** Tokens that end a completion: the tokenizer's, then those of generation_config.json (or config.json). May be empty. */
  readonly eosTokenIds: readonly number[];
  /** The tokenizer's own end token, the first of `eosTokenIds`. */
  readonly eosTokenId: number | undefined;
  /** Padding token; the end token where the folder names none. */
  readonly padTokenId: number | undefined;
  readonly bosTokenId: number | undefined;
  /** Jinja source of the chat template, if the folder has one. */
  readonly chatTemplate: string | undefined;

  encode(text: string, options?: EncodeOptions): number[];
  /** Ids without a token (a model's vocabulary may be padded beyond the tokenizer's) decode to nothing. */
  decode(ids: readonly number[], options?: DecodeOptions): string;
  /** The token of an id as the vocabulary spells it (`Ġthe`), or undefined. */
  tokenString(id: number): string | undefined;
  /** The id of a token as the vocabulary spells it, or undefined. */
  tokenId(token: string): number | undefined;
  /** Whether `decode` leaves this id out by default. */
  isSpecial(id: number): boolean;
  /** Renders a conversation to text. Throws UserError when there is no template or the template refuses the messages. */
  applyChatTemplate(messages: readonly ChatMessage[], options?: ChatTemplateOptions): string;
}
