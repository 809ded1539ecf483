import { LimitReached, type Limits } from "../limits.js";
import { add, fromDecimal, type Rational, rational } from "../value/rational.js";
import {
  brackets,
  commandAliases,
  conjunctions,
  delimiters,
  fontCommands,
  functionAliases,
  functions,
  gluedFunction,
  greek,
  invisible,
  layout,
  textCommands,
  unicode,
} from "./names.js";
import { isUnitWord } from "./units.js";

export type Token =
  | { kind: "num"; value: Rational; places?: number; text: string; spaced: boolean }
  /** One letter, or a bare word that is a function, a unit or a conjunction. */
  | { kind: "word"; text: string; spaced: boolean }
  | { kind: "command"; text: string; spaced: boolean }
  /** The raw argument of `\text{…}`. */
  | { kind: "text"; text: string; spaced: boolean }
  | { kind: "begin" | "end"; text: string; spaced: boolean }
  /** A single character with a meaning of its own; `\{` is "\\{", the group brace is "{". */
  | { kind: "mark"; text: string; spaced: boolean };

export interface LexOptions {
  limits: Limits;
  /** Read `1,234` as one number (else as two answers). */
  thousands: boolean;
  /** Read `2e-1` as scientific notation (else as 2·e − 1). */
  scientific: boolean;
}

const thousandsComma = /\d{1,3}(?:(?:\{,\}|,)(?:\\!\s*)?\d{3})+(?!\d)/y;
const thousandsSpace = /[1-9]\d{0,2}(?:(?:\\[,;: ]|~|\\thinspace| )\d{3})+(?![\d.]*\d)/y;
/** With a typed space the decimals may follow: `31\,415.9`. */
const thousandsThin = /[1-9]\d{0,2}(?:(?:\\[,;: ]|~|\\thinspace)\d{3})+(?!\d)/y;
const repeatRun = /\\(?:overline|bar|dot)\s*\{?(\d+)\}?/y;
const boldWords = /\s*\{\s*[a-zA-Z]{2,}[a-zA-Z\s.]*\}/y;
const digitRun = /\d+/y;
const fractionRun = /\.(\d*)/y;
/** `5.3 \cdot e3`, `5.3\mathrm{E}3`: the notation of a calculator with a multiplication sign or a font put in. */
const spelledExponent = /(?:\s*(?:\\(?:cdot|times)|\*)\s*[eE]|\\mathrm\{[eE]\})([+-]?\d{1,5})(?![\d.]*[\d{^])/y;
/** `^{\prime}`, `^{\prime\prime}`: marks like `'`. */
const primeRun = /\^\s?(?:\{\s?\\prime(?:\s?\\prime){0,3}\s?\}|\\prime(?![a-zA-Z]))/y;
const barePoint = /\.(?=\s?[/*^)\]}+=<>&-])/y;
const exponentRun = /[eE]([+-]?\d{1,5})(?![\d.]*[\d{^])/y;
const letterRun = /[a-zA-Z]+/y;
const rowSkip = /\*?\s?\[\s?-?[\d.]+\s?(?:ex|em|pt|mm|cm|in|px|mu|\\[a-z]+)\s?\]/y;
/** `\rm cm`: the letters up to the end of the group. */
const romanRun = /[\s~]*([a-zA-Z]{1,20})(?=\s*(?:[}^/]|$))/y;
const negatedRun = /\s?(?:=|\\in(?![a-zA-Z]))/y;
const commandRun = /\\(?:[a-zA-Z]+|.)/sy;

function match(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(source);
}

/** Replaces the characters outside ASCII that have a LaTeX spelling. */
export const toAscii = (text: string): string =>
  text.replace(/[^\0-\x7f]/gu, (char) => unicode[char] ?? compatible(char.normalize("NFKC"), char));

/** What a variant of a character stands for: `\frac{1}{2}` for ½, `^2` for ², a bold, wide or double-struck letter's own. */
function compatible(plain: string, char: string): string {
  const parts = plain.split("\u2044");
  if (parts.length > 1) return `\\frac{${parts[0]}}{${parts[1]}}`;
  if (/[²³¹⁰-⁹]/.test(char)) return `^${plain}`;
  // Subscripts and numbers in circles are none of the answer.
  if (/[₀-ₜ①-⓿]/.test(char)) return char;
  if (/[ℂℕℚℝℤ]/.test(char)) return `\\mathbb{${plain}}`;
  return /[α-ω]/.test(plain) ? `\\${greekAlphabet[plain.charCodeAt(0) - 0x3b1]} ` : western(plain);
}

/** The digits of other scripts as ours. */
export const western = (text: string): string =>
  text
    .replace(/[٠-٩۰-۹]/g, (digit) => `${digit.charCodeAt(0) & 15}`)
    .replace(/[०-९]/g, (digit) => `${digit.charCodeAt(0) - 0x966}`);

/** The names of the small letters in the order of Unicode, where a second sigma ends words. */
const greekAlphabet = [...greek].slice(0, 25);

/** Splits an answer into tokens in one pass. Throws LimitReached for over-long numbers. */
export function lex(text: string, options: LexOptions): Token[] {
  return new Lexer(toAscii(text), options).run();
}

class Lexer {
  private at = 0;
  private tokens: Token[] = [];
  private spaced = false;
  /** Open ( [ \{: inside them a comma separates. */
  private nesting = 0;
  /** Open environments: outside them `&` aligns nothing. */
  private environments = 0;

  constructor(
    private readonly source: string,
    private readonly options: LexOptions,
  ) {}

  run(): Token[] {
    while (this.at < this.source.length) this.step();
    return this.tokens;
  }

  private push(kind: Token["kind"] & ("word" | "command" | "text" | "begin" | "end" | "mark"), text: string): void {
    this.tokens.push({ kind, text, spaced: this.spaced });
    this.spaced = false;
  }

  private step(): void {
    const char = this.source[this.at]!;
    if (/\s/.test(char) || char === "~") {
      this.at++;
      this.spaced = true;
    } else if (/\d/.test(char) || (char === "." && /\d/.test(this.source[this.at + 1] ?? ""))) {
      this.number();
    } else if (/[a-zA-Z]/.test(char)) {
      this.letters();
    } else if (char === "\\") {
      this.command();
    } else {
      this.mark(char);
    }
  }

  private mark(char: string): void {
    this.at++;
    if (char === "$" || (char === "&" && this.environments <= 0)) return;
    if ("([".includes(char)) this.nesting++;
    if (")]".includes(char)) this.nesting--;
    const primes = char === "^" ? match(primeRun, this.source, this.at - 1) : null;
    if (primes) {
      this.at += primes[0].length - 1;
      for (let i = 0; i < primes[0].split("\\prime").length - 1; i++) this.push("mark", "'");
      return;
    }
    if (char === "*" && this.source[this.at] === "*") {
      this.at++;
      char = "^";
    }
    if ("<>!=".includes(char) && this.source[this.at] === "=" && char !== "=") {
      this.at++;
      this.push("command", { "<": "le", ">": "ge", "!": "ne" }[char]!);
      return;
    }
    this.push("mark", char);
  }

  private number(): void {
    const { source, at } = this;
    let text: string;
    const afterComma = at > 1 && source[at - 1] === "," && /\d/.test(source[at - 2]!);
    const grouped =
      this.options.thousands && this.nesting <= 0 && !afterComma ? match(thousandsComma, source, at) : null;
    const listed = grouped !== null && /^,\d/.test(source.slice(at + grouped[0].length, at + grouped[0].length + 2));
    const spaced =
      match(thousandsSpace, source, at) ??
      match(thousandsThin, source, at) ??
      match(/\d{1,3}(?:\{,\}(?:\\!)?\d{3})+(?!\d)/y, source, at);
    if (grouped && !listed) text = grouped[0];
    else if (spaced) text = spaced[0];
    else text = match(digitRun, source, at)?.[0] ?? "";
    this.at += text.length;
    let whole = text.replace(/\D/g, "");
    let fraction = "";
    let places: number | undefined;
    if (grouped && !listed && whole.startsWith("0") && /^0\D/.test(text) && whole.length === 4) {
      // No group of thousands starts with 0: `0,033` is a decimal comma.
      [whole, fraction, places] = ["0", whole.slice(1), whole.length - 1];
    }
    const point = match(fractionRun, source, this.at);
    if (point && (point[1] !== "" || match(repeatRun, source, this.at + 1))) {
      fraction = point[1]!;
      places = fraction.length;
      this.at += point[0].length;
      const repeat = match(repeatRun, source, this.at);
      if (repeat) {
        this.repeating(whole, fraction, repeat);
        return;
      }
    }
    // `3./2`: a point without digits.
    else if (match(barePoint, source, this.at)) this.at++;
    let exponent = 0;
    const scientific = this.options.scientific
      ? (match(exponentRun, source, this.at) ?? match(spelledExponent, source, this.at))
      : null;
    if (scientific) {
      exponent = Number(scientific[1]);
      this.at += scientific[0].length;
    }
    if (whole.length + fraction.length + Math.abs(exponent) > this.options.limits.digits)
      throw new LimitReached("digits");
    const value = fromDecimal(whole, fraction, exponent);
    const token: Token = { kind: "num", value, text: source.slice(at, this.at), spaced: this.spaced };
    if (places !== undefined || scientific) token.places = fraction.length - exponent;
    this.tokens.push(token);
    this.spaced = false;
  }

  /** `0.1\overline{6}`: the repeating part over 99…9. */
  private repeating(whole: string, fraction: string, repeat: RegExpExecArray): void {
    const digits = repeat[1]!;
    this.at += repeat[0].length;
    if (whole.length + fraction.length + digits.length > this.options.limits.digits) throw new LimitReached("digits");
    const tail = rational(BigInt(digits), (10n ** BigInt(digits.length) - 1n) * 10n ** BigInt(fraction.length));
    const value = add(fromDecimal(whole, fraction), tail);
    this.tokens.push({ kind: "num", value, text: `${whole}.${fraction}(${digits})`, spaced: this.spaced });
    this.spaced = false;
  }

  private letters(): void {
    const run = match(letterRun, this.source, this.at)![0];
    this.at += run.length;
    if (modules.has(run) && match(memberRun, this.source, this.at)) {
      this.at++;
      return;
    }
    const alias = functionAliases[run] ?? run;
    if (run.length > 1 && (functions.has(alias) || conjunctions.has(run) || isUnitWord(run) || bareWords.has(run))) {
      this.push("word", alias);
      return;
    }
    // `xsqrt(5)`: a letter or two before a function's bracket.
    const tail = this.source[this.at] === "(" ? gluedFunction.exec(run) : null;
    if (tail) this.at -= run.length - tail[0].length;
    // `np.arcsin`: no word we know, so a product of letters.
    for (const letter of tail ? tail[0] : run) this.push("word", letter);
  }

  private command(): void {
    const name = match(commandRun, this.source, this.at)?.[0].slice(1) ?? "";
    this.at += name.length + 1;
    if (name === "" || name === "\\") {
      this.at += match(rowSkip, this.source, this.at)?.[0].length ?? 0;
      this.push("mark", "\\\\");
    } else if (name === "rm") {
      this.roman();
    } else if (name === "not") {
      this.negation();
    } else if (delimiters.has(name)) {
      if (this.source[this.at] === ".") this.at++;
    } else if (/\s/.test(name) || layout.has(name)) {
      this.spaced ||= !brackets.has(name);
    } else if (invisible.has(name)) {
      this.argument();
    } else if (textCommands.has(name)) {
      this.words(name, this.argument());
    } else if (name === "begin" || name === "end") {
      this.environment(name);
    } else if (fontCommands.has(name)) {
      this.font();
    } else {
      this.namedCommand(name);
    }
  }

  /** `\not=`, `\not\in`; struck out, anything else is no formula. */
  private negation(): void {
    const struck = match(negatedRun, this.source, this.at);
    if (struck) this.at += struck[0].length;
    if (struck) this.push("command", struck[0].includes("in") ? "notin" : "ne");
    else this.push("mark", "\\not");
  }

  /** `\rm{cm}`, `{\rm cm}`: an upright word is text. */
  private roman(): void {
    const run = match(romanRun, this.source, this.at);
    if (run) this.at += run[0].length;
    const group = this.tokens.at(-1);
    if (run && this.source[this.at] === "}" && group?.kind === "mark" && group.text === "{") {
      this.tokens.pop();
      this.at++;
    }
    if (run || this.source[this.at] === "{") this.words("rm", run ? run[1]! : this.argument());
  }

  /** A font change: its braces stay and group, unless it sets words (`\textbf{ miles}`). */
  private font(): void {
    this.spaced = true;
    if (match(boldWords, this.source, this.at)) this.push("text", this.argument());
  }

  /** `\mathrm{sin}` is the function, `\operatorname{Var}` a name, anything else text. */
  private words(command: string, content: string): void {
    const name = content.trim().replace(/^~|~$/g, "");
    const alias = functionAliases[name] ?? name;
    const applied = /^\s*(?:[({_]|\\left|\\\{)/.test(this.source.slice(this.at, this.at + 8));
    if (functions.has(alias) && (applied || !isUnitWord(alias))) this.push("word", alias);
    else if (command === "operatorname") this.push("command", name);
    else this.push("text", content.replace(/~|\\[ ,;:!]/g, " "));
  }

  private environment(name: "begin" | "end"): void {
    this.environments += name === "begin" ? 1 : -1;
    const environment = this.argument().replace(/\*$/, "");
    if (environment === "array" && name === "begin") this.argument();
    this.push(name, environment);
  }

  private namedCommand(name: string): void {
    if (name === "{" || name === "}") {
      this.nesting += name === "{" ? 1 : -1;
      this.push("mark", `\\${name}`);
      return;
    }
    const alias = functionAliases[name] ?? commandAliases[name] ?? name;
    if (alias === "{" || alias === "}") this.push("mark", `\\${alias}`);
    else if (alias.length === 1 && !/[a-zA-Z]/.test(alias)) this.push("mark", alias);
    else if (alias !== "sqrt" && (functions.has(alias) || conjunctions.has(alias))) this.push("word", alias);
    else this.split(alias);
  }

  /** `\sinx`, where the space is missing: the function and the letters behind it. */
  private split(name: string): void {
    const prefix = /^(?:arcsin|arccos|arctan|sinh|cosh|tanh|sin|cos|tan|cot|sec|csc|ln|log|pi)(?=[a-zA-Z]{1,2}$)/.exec(
      name,
    );
    if (!prefix || greek.has(name) || name === "sinh") {
      this.push("command", name);
      return;
    }
    this.push("word", prefix[0]);
    for (const letter of name.slice(prefix[0].length)) this.push("word", letter);
  }

  /** The raw braced argument at the current position (or a single character), its braces balanced. */
  private argument(): string {
    const { source } = this;
    while (source[this.at] === " ") this.at++;
    if (source[this.at] !== "{") return source[this.at] === undefined ? "" : source[this.at++]!;
    let depth = 0;
    const start = this.at + 1;
    for (; this.at < source.length; this.at++) {
      if (source[this.at] === "\\") this.at++;
      else if (source[this.at] === "{") depth++;
      else if (source[this.at] === "}" && --depth === 0) return source.slice(start, this.at++);
    }
    return source.slice(start);
  }
}

/** `np.sqrt(2)`: the module's name says nothing. */
const modules = new Set(["np", "numpy", "math", "sympy", "sp"]);
const memberRun = /\.[a-z]/y;

const bareWords = new Set([
  "pi",
  "inf",
  "infty",
  "infinity",
  "percent",
  "percentage",
  "pct",
  "if",
  "for",
  "when",
  "where",
  "otherwise",
]);
