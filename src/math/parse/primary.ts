/** Numbers, names, brackets: what an expression is made of. */
import { type Bracket, call, group, type Node, num, type Quantity, sym } from "../ast.js";
import { add, rational, toNumber } from "../value/rational.js";
import { parseClauses } from "./answer.js";
import { parseCommand, parseMatrix } from "./commands.js";
import { type Cursor, NotFormula } from "./cursor.js";
import { parseArgument, parseSum } from "./expression.js";
import { parseFunction } from "./functions.js";
import type { Token } from "./lexer.js";
import { currencies, functions } from "./names.js";
import { parseTime } from "./time.js";

export function parsePrimary(cursor: Cursor): Node {
  while (cursor.takeCurrency()) {
    // The value gets it.
  }
  const token = cursor.next();
  switch (token.kind) {
    case "num":
      return parseNumber(cursor, token);
    case "word":
      return parseWord(cursor, token.text);
    case "text":
      return parseText(cursor, token.text);
    case "begin":
      return parseMatrix(cursor, token.text);
    case "command":
      return parseCommand(cursor, token.text);
    case "mark":
      return parseMark(cursor, token.text);
    default:
      throw new NotFormula();
  }
}

function parseMark(cursor: Cursor, mark: string): Node {
  switch (mark) {
    case "(":
    case "[":
      return parseBracket(cursor, mark);
    case "]":
      // The French open interval ]a, b[.
      return parseBracket(cursor, "(");
    case "{":
      return parseBraces(cursor);
    case "\\{":
      return parseSet(cursor);
    case "|":
      return parseBars(cursor);
    default:
      throw new NotFormula();
  }
}

/** `( … )`, `[ … )`: one item in brackets of one kind is that item, several are a tuple or an interval. */
function parseBracket(cursor: Cursor, open: "(" | "["): Node {
  const items = cursor.bracketed(() => parseClauses(cursor));
  const closers: [string, Bracket][] = [
    [")", ")"],
    ["]", "]"],
    ["[", ")"],
  ];
  const close = closers.find(([mark]) => cursor.take(mark))?.[1];
  if (close === undefined || items.length === 0) throw new NotFormula();
  if (items.length > 1) return group(open, close, items);
  if ((open === "(") !== (close === ")")) throw new NotFormula();
  return items[0]!;
}

/** A LaTeX group: `{…}`, `{a \over b}`, `{n \choose k}`. */
function parseBraces(cursor: Cursor): Node {
  return cursor.bracketed(() => {
    const items = parseClauses(cursor);
    if (items.length === 0) throw new NotFormula();
    const left = items.length === 1 ? items[0]! : group("", "", items);
    const infix = ["over", "choose"].find((name) => cursor.isCommand(name));
    if (infix) cursor.next();
    const result = infix ? call(infix === "over" ? "div" : "binom", left, parseSum(cursor)) : left;
    cursor.expect("}");
    return result.kind === "quantity" ? money(cursor, result) : result;
  });
}

/** The currency within braces is that of the value around them: `\frac{\$5}{2}`. */
function money(cursor: Cursor, inner: Quantity): Node {
  if (!Object.values(currencies).includes(inner.unit)) return inner;
  cursor.currency = inner.unit;
  return inner.value;
}

/** `\{1, 2\}`, `\{x \mid x > 0\}`, `\left\{\begin{array}…\end{array}\right.`. */
function parseSet(cursor: Cursor): Node {
  if (cursor.peek()?.kind === "begin") {
    const cases = parseMatrix(cursor, cursor.next().text, true);
    cursor.take("\\}");
    return cases;
  }
  return cursor.bracketed(() => {
    cursor.inBuilder = true;
    const items = parseClauses(cursor);
    cursor.inBuilder = false;
    if (cursor.take("\\}")) return group("{", "}", items);
    if (!cursor.take("|") && !cursor.take(":")) throw new NotFormula();
    const conditions = parseClauses(cursor);
    cursor.expect("\\}");
    if (items.length !== 1) throw new NotFormula();
    return { kind: "builder", variable: items[0]!, conditions };
  });
}

function parseBars(cursor: Cursor): Node {
  cursor.bars++;
  const inner = parseSum(cursor);
  cursor.expect("|");
  cursor.bars--;
  return call("abs", inner);
}

const baseNames = "two three four five six seven eight nine ten eleven twelve".split(" ");

function parseNumber(cursor: Cursor, token: Token & { kind: "num" }): Node {
  if (cursor.isMark("_")) return parseBase(cursor, token);
  const worded = wordedBase(cursor);
  if (worded) return inBase(token, worded);
  const time = parseTime(cursor, token);
  if (time) return time;
  const mixed = parseMixed(cursor, token);
  return mixed ?? num(token.value, token.places);
}

/** `2112_6`, `2112_{(6)}`, `2112_{\text{six}}`. */
function parseBase(cursor: Cursor, token: Token & { kind: "num" }): Node {
  cursor.next();
  return inBase(token, cursor.raw());
}

/** `52 \text{ (base 8)}`, `52 \text{ base } 8`, `52_8 \text{ in base eight}`. */
function wordedBase(cursor: Cursor): string | undefined {
  const text = cursor.peek();
  if (text?.kind !== "text") return undefined;
  const words = /^\s*\(?(?:in )?base[\s-]*(\w*)\)?\s*$/.exec(text.text);
  const after = cursor.peek(1);
  if (!words || (words[1] === "" && after?.kind !== "num")) return undefined;
  cursor.next();
  return words[1] || cursor.next().text;
}

function inBase(token: Token & { kind: "num" }, spelled: string): Node {
  const subscript = spelled.replace(/^base|[()\s-]/gi, "").toLowerCase();
  const named = baseNames.indexOf(subscript);
  const base = subscript === "sixteen" ? 16 : named < 0 ? Number(subscript) : named + 2;
  if (!Number.isInteger(base) || base < 2 || base > 36 || !/^\d+$/.test(token.text)) throw new NotFormula();
  const digits = [...token.text].map(Number);
  if (digits.some((digit) => digit >= base)) throw new NotFormula();
  const value = digits.reduce((sum, digit) => sum * BigInt(base) + BigInt(digit), 0n);
  return { kind: "num", value: rational(value), base, digits: token.text };
}

/** `4\frac{1}{2}` and `4 1/2`: an integer with a proper fraction of numbers behind it. */
function parseMixed(cursor: Cursor, token: Token & { kind: "num" }): Node | undefined {
  if (token.places !== undefined) return undefined;
  const start = cursor.isCommand("frac") ? cursor.peek(1) : undefined;
  if (start) {
    const braced = cursor.isMark("{", 1) && cursor.isMark("}", 3) && cursor.isMark("{", 4) && cursor.isMark("}", 6);
    if (braced) return mixedOf(token, cursor.peek(2), cursor.peek(5), cursor, 7);
    if (start.kind === "num" && /^\d\d$/.test(start.text)) {
      const [top, bottom] = [digitToken(start.text[0]!), digitToken(start.text[1]!)];
      return mixedOf(token, top, bottom, cursor, 2);
    }
    return undefined;
  }
  const top = cursor.peek();
  if (top?.kind !== "num" || !top.spaced || !cursor.isMark("/", 1)) return undefined;
  return mixedOf(token, top, cursor.peek(2), cursor, 3);
}

const digitToken = (digit: string): Token => ({
  kind: "num",
  value: rational(BigInt(digit)),
  text: digit,
  spaced: false,
});

function mixedOf(
  whole: Token,
  top: Token | undefined,
  bottom: Token | undefined,
  cursor: Cursor,
  length: number,
): Node | undefined {
  if (whole.kind !== "num" || top?.kind !== "num" || bottom?.kind !== "num") return undefined;
  if (top.places !== undefined || bottom.places !== undefined || bottom.value.n === 0n) return undefined;
  const fraction = rational(top.value.n, bottom.value.n);
  if (toNumber(fraction) >= 1) return undefined;
  for (let i = 0; i < length; i++) cursor.next();
  return num(add(whole.value, fraction));
}

function parseWord(cursor: Cursor, text: string): Node {
  if (functions.has(text)) return parseFunction(cursor, text);
  if (text === "pi") return sym("pi");
  if (text.length > 1 && /^inf/.test(text)) return sym("oo");
  if (text.length > 1) return nameWord(text);
  return parseName(cursor, text);
}

/** A unit word where no value precedes it: the product of its letters. */
const nameWord = (text: string): Node => call("mul", ...[...text].map((letter) => sym(letter)));

/** Letters that are read as functions when a bracket follows. */
const functionLetters = /^(?:[fghFGH]|Gamma)$/;

/** A letter or Greek name with its subscript; an unknown function when brackets follow. */
export function parseName(cursor: Cursor, letter: string): Node {
  let name = letter;
  if (cursor.take("_")) name += `_${cursor.raw()}`;
  const chosen = combination(cursor, name);
  if (chosen) return chosen;
  if (/^[fgh]$/.test(letter) && isInverseFunction(cursor)) {
    cursor.next();
    name += `^${cursor.raw()}`;
  }
  const primes = functionPrimes(cursor);
  name += primes;
  // `f{\left(x \right)}`: how sympy prints a function of a name.
  const braced = cursor.isMark("{") && cursor.isMark("(", 1);
  const value = /^[a-zA-Z]$/.test(letter) && !/[eid]/.test(letter) && isPointValue(cursor, braced ? 1 : 0);
  if (!(braced || cursor.isMark("(")) || !(value || primes !== "" || functionLetters.test(letter))) return sym(name);
  if (braced) cursor.next();
  cursor.next();
  const args = cursor.bracketed(() => parseClauses(cursor));
  cursor.expect(")");
  if (braced) cursor.expect("}");
  if (args.length === 0) throw new NotFormula();
  if (name === "Gamma") return call("fact", call("add", args[0]!, num(rational(-1n))));
  return call("apply", sym(name), ...args);
}

/** `C_5^2`: of five, two. */
function combination(cursor: Cursor, name: string): Node | undefined {
  const n = /^C_(\d{1,4})$/.exec(name)?.[1];
  const k = cursor.peek(cursor.isMark("{", 1) ? 2 : 1);
  if (!n || !cursor.isMark("^") || k?.kind !== "num" || Number(k.text) >= Number(n)) return undefined;
  cursor.next();
  return call("binom", num(rational(BigInt(n))), parseArgument(cursor));
}

/** `^{-1}(`: behind f the inverse function. */
const isInverseFunction = (cursor: Cursor): boolean =>
  cursor.isMark("^") &&
  cursor.isMark("{", 1) &&
  cursor.isMark("-", 2) &&
  cursor.isMark("}", 4) &&
  cursor.isMark("(", 5);

/** `f''(x)`: primes between a name and its bracket belong to the name. */
function functionPrimes(cursor: Cursor): string {
  let count = 0;
  while (count < 4 && cursor.isMark("'", count)) count++;
  const bracket = cursor.isMark("(", count) || (cursor.isMark("{", count) && cursor.isMark("(", count + 1));
  if (count === 0 || !bracket) return "";
  for (let i = 0; i < count; i++) cursor.next();
  return "'".repeat(count);
}

/** `y(0)`: a letter with one plain number in brackets right behind it. */
const isPointValue = (cursor: Cursor, ahead = 0): boolean =>
  (ahead > 0 || cursor.peek()?.spaced === false) &&
  cursor.peek(ahead + 1)?.kind === "num" &&
  cursor.isMark(")", ahead + 2);

/** `\text{x}` as a letter; other words only stand alone and are read by the caller. */
function parseText(cursor: Cursor, text: string): Node {
  const content = text.trim();
  if (/^[a-zA-Z]$/.test(content)) return parseName(cursor, content);
  const digits = /^-?\d{1,30}$/.exec(content);
  if (digits) return num(rational(BigInt(content)));
  return { kind: "text", text: content };
}
