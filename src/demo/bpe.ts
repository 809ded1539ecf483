import { assert } from "../errors.js";

/** A trained byte-level BPE vocabulary, as tokenizer.json spells it. */
export interface Bpe {
  /** Token (in GPT-2's printable byte alphabet) to id: 256 bytes first, then one per merge. */
  vocab: Record<string, number>;
  /** Pairs in order of rank. */
  merges: [string, string][];
}

/**
 * Byte-pair encoding (Sennrich et al., arXiv 1508.07909) trained until every given word is one token.
 * The words are few and equally frequent, so ties are broken by order of first appearance.
 */
export function trainBpe(words: readonly string[]): Bpe {
  const alphabet = byteAlphabet();
  const vocab: Record<string, number> = Object.fromEntries(alphabet.map((letter, byte) => [letter, byte]));
  const merges: [string, string][] = [];
  let pieces = [...new Set(words)].map((word) => [...Buffer.from(word)].map((byte) => alphabet[byte] as string));
  for (;;) {
    const pair = mostFrequentPair(pieces);
    if (!pair) return { vocab, merges };
    merges.push(pair);
    vocab[pair.join("")] ??= Object.keys(vocab).length;
    pieces = pieces.map((word) => mergePair(word, pair));
  }
}

function mostFrequentPair(pieces: readonly string[][]): [string, string] | undefined {
  const counts = new Map<string, { pair: [string, string]; count: number }>();
  for (const word of pieces) {
    for (let i = 0; i + 1 < word.length; i++) {
      const pair: [string, string] = [word[i] as string, word[i + 1] as string];
      const entry = counts.get(pair.join(" ")) ?? { pair, count: 0 };
      counts.set(pair.join(" "), { pair, count: entry.count + 1 });
    }
  }
  let best: { pair: [string, string]; count: number } | undefined;
  for (const entry of counts.values()) if (!best || entry.count > best.count) best = entry;
  return best?.pair;
}

function mergePair(word: readonly string[], [left, right]: [string, string]): string[] {
  const merged: string[] = [];
  for (let i = 0; i < word.length; i++) {
    const here = word[i] === left && word[i + 1] === right;
    merged.push(here ? left + right : (word[i] as string));
    if (here) i++;
  }
  return merged;
}

/** GPT-2's printable stand-in for each byte: itself where it is printable, else the next code point from U+0100. */
export function byteAlphabet(): string[] {
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let next = 256;
  const alphabet = Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
  assert(new Set(alphabet).size === 256, "the byte alphabet has 256 distinct letters");
  return alphabet;
}
