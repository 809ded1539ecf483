export { StreamDecoder } from "./stream.js";
export { loadTokenizer, type TokenizerOptions } from "./tokenizer.js";
export type { ChatMessage, ChatTemplateOptions, DecodeOptions, EncodeOptions, Tokenizer } from "./types.js";
