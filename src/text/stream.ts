/**
 * Text of a growing list of tokens, piece by piece: never half a character, and all pieces together are
 * `tokenizer.decode` of all tokens. Decoding starts again a little before the new tokens (decoders may treat
 * the first token of a text differently), so a piece costs the same however long the text is.
 */
import type { DecodeOptions, Tokenizer } from "./types.js";

/** What an unfinished UTF-8 character decodes to; a text may hold it in its own right, too. */
const REPLACEMENT = "\uFFFD";

export class StreamDecoder {
  /** Tokens decoded together: those of the last piece as context, then what came after it. */
  #window: number[] = [];
  /** How many characters (UTF-16 units) of the window's text have been given out. */
  #given = 0;
  /** How many tokens of the window hold text that is not given out, or only in part. */
  #fresh = 0;

  constructor(
    private readonly tokenizer: Pick<Tokenizer, "decode">,
    private readonly options: DecodeOptions = {},
  ) {}

  /** Adds tokens; returns the text that is certain now ("" while a character is incomplete). */
  push(...ids: readonly number[]): string {
    let text = "";
    for (const id of ids) text += this.#pushOne(id);
    return text;
  }

  /** Ends the text: returns what was held back, with U+FFFD for a character that stayed incomplete. */
  flush(): string {
    const rest = this.#decode(this.#window).slice(this.#given);
    this.#window = [];
    this.#given = 0;
    this.#fresh = 0;
    return rest;
  }

  #pushOne(id: number): string {
    this.#window.push(id);
    this.#fresh += 1;
    const text = this.#decode(this.#window);
    const piece = certain(text).slice(this.#given);
    if (piece !== "") this.#advance(text);
    return piece;
  }

  /**
   * After a piece, the tokens since the piece before become the context of the next one. When the text ends in an
   * unfinished character, that one began in the newest token (an older beginning would have ended the piece before it),
   * so this token alone is the context.
   */
  #advance(text: string): void {
    const unfinished = text.endsWith(REPLACEMENT);
    this.#window = this.#window.slice(unfinished ? -1 : -this.#fresh);
    this.#given = certain(this.#decode(this.#window)).length;
    this.#fresh = unfinished ? 1 : 0;
  }

  #decode(ids: readonly number[]): string {
    return this.tokenizer.decode(ids, this.options);
  }
}

/** The text without a last character that may still be unfinished. */
function certain(text: string): string {
  return text.endsWith(REPLACEMENT) ? text.slice(0, -1) : text;
}
