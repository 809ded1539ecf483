/**
 * @huggingface/tokenizers, typed by what we use of it: its own declarations import without extensions, which
 * resolves to `any` under NodeNext.
 */
import { TextDecoder } from "node:util";
import { Tokenizer } from "@huggingface/tokenizers";
import type { Json } from "./config.js";

interface LibraryDecoder {
  /** Of a sequence of decoders. */
  decoders?: LibraryDecoder[];
  /** Of a decoder that reads bytes. */
  text_decoder?: TextDecoder;
}

export interface LibraryTokenizer {
  decoder: LibraryDecoder | null;
  encode(text: string, options: { add_special_tokens: boolean }): { ids: (number | undefined)[] };
  decode(ids: number[], options: { skip_special_tokens: boolean }): string;
  id_to_token(id: number): string | undefined;
  token_to_id(token: string): number | undefined;
  get_vocab(withAddedTokens: boolean): Map<string, number>;
  get_added_tokens_decoder(): Map<number, { content: string; special: boolean }>;
}

/** @param definition tokenizer.json @param config tokenizer_config.json */
export function createLibraryTokenizer(definition: Json, config: Json): LibraryTokenizer {
  // The library's default cleans " ." to "." in decoded text, which would change completions.
  const library: LibraryTokenizer = new Tokenizer(definition, { ...config, clean_up_tokenization_spaces: false });
  if (library.decoder) keepByteOrderMarks(library.decoder);
  return library;
}

/** The library's byte-fallback decoder swallows U+FEFF at the start of a run of bytes; Hugging Face's own keeps it. */
function keepByteOrderMarks(decoder: LibraryDecoder): void {
  decoder.decoders?.forEach(keepByteOrderMarks);
  if (decoder.text_decoder) decoder.text_decoder = new TextDecoder("utf-8", { ignoreBOM: true });
}
