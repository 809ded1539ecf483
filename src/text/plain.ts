import type { Tokenizer } from "./types.js";

/**
 * Plain text as tokens, behind the beginning-of-text token where the tokenizer adds one by itself (Llama's does, Qwen's does not), as
 * TRL encodes prompts that are strings. Text that begins with that token keeps the one it has. What chat templates write is encoded as it is.
 */
export function encodePlain(tokenizer: Tokenizer, text: string): number[] {
  const ids = tokenizer.encode(text);
  const bos = tokenizer.bosTokenId;
  if (bos === undefined || ids[0] === bos) return ids;
  const [first] = tokenizer.encode(text, { addSpecialTokens: true });
  return first === bos ? [bos, ...ids] : ids;
}
