import { LimitReached, type Limits } from "../limits.js";
import type { Token } from "./lexer.js";
import { currencies } from "./names.js";

/** The answer is not a formula in our grammar; the caller falls back to reading it as words. */
export class NotFormula extends Error {}

/** A position in the tokens, with what the surrounding brackets allow. */
export class Cursor {
  private at = 0;
  private depth = 0;
  private nodes = 0;
  /** Open absolute bars: inside them a bar closes. */
  bars = 0;
  /** In `{x | …}` or `{x : …}` before the separator: bar and colon end the expression. */
  inBuilder = false;
  /** Open integrals: the differential ends the integrand. */
  integrals = 0;
  /** The currency whose sign stood in the value being read. */
  currency = "";

  constructor(
    private readonly tokens: Token[],
    readonly limits: Limits,
  ) {}

  get position(): number {
    return this.at;
  }

  peek(ahead = 0): Token | undefined {
    return this.tokens[this.at + ahead];
  }

  next(): Token {
    const token = this.tokens[this.at++];
    if (!token) throw new NotFormula();
    return token;
  }

  isMark(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token?.kind === "mark" && token.text === text;
  }

  isCommand(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token?.kind === "command" && token.text === text;
  }

  isWord(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token?.kind === "word" && token.text === text;
  }

  take(text: string): boolean {
    if (!this.isMark(text)) return false;
    this.at++;
    return true;
  }

  expect(text: string): void {
    if (!this.take(text)) throw new NotFormula();
  }

  /** Takes a sign such as `\$` or `€`; the value it stands at gets it as its unit. */
  takeCurrency(): boolean {
    const token = this.peek();
    const unit = token?.kind === "mark" ? currencies[token.text] : undefined;
    if (unit === undefined) return false;
    this.at++;
    this.currency = unit;
    return true;
  }

  /** Puts a token in place of the one at the cursor (`\frac12`: the rest of the number stays). */
  replace(token: Token): void {
    this.tokens[this.at] = token;
  }

  /** Runs a rule one level deeper, counting depth and nodes. */
  nested<T>(rule: () => T): T {
    if (++this.depth > this.limits.depth) throw new LimitReached("depth");
    if (++this.nodes > this.limits.nodes) throw new LimitReached("nodes");
    const result = rule();
    this.depth--;
    return result;
  }

  /** Runs a rule inside brackets: bars and set-builder separators outside do not count there. */
  bracketed<T>(rule: () => T): T {
    const { bars, inBuilder, integrals } = this;
    this.integrals = 0;
    this.bars = 0;
    this.inBuilder = false;
    const result = rule();
    this.bars = bars;
    this.inBuilder = inBuilder;
    this.integrals = integrals;
    return result;
  }

  /** Runs a rule up to the differential of an integral. */
  integrand<T>(rule: () => T): T {
    this.integrals++;
    const result = rule();
    this.integrals--;
    return result;
  }

  /** Skips a `{…}` argument or one token and returns its tokens' text. */
  raw(): string {
    if (!this.take("{")) return this.next().text;
    let text = "";
    for (let depth = 1; ; ) {
      const token = this.next();
      if (token.kind === "mark" && token.text === "{") depth++;
      if (token.kind === "mark" && token.text === "}" && --depth === 0) return text;
      text += token.kind === "text" ? token.text.trim() : token.text;
    }
  }
}
