/**
 * Sums, products, powers.
 *   sum     := sign? product (("+"|"-"|"±"|"∓") product)*
 *   product := factor (("*"|"/"|":")? factor)*       a space or nothing multiplies
 *   power   := primary postfix* ("^" argument)?
 */
import { call, isCall, type Node, num, sym } from "../ast.js";
import { multiply, rational } from "../value/rational.js";
import { isSeparator, isUnionLetter } from "./answer.js";
import { isDifferential } from "./calculus.js";
import { type Cursor, NotFormula } from "./cursor.js";
import { functions, greek } from "./names.js";
import { parsePrimary } from "./primary.js";
import { isUnitWord } from "./units.js";

type Sign = "+" | "-" | "pm" | "mp";

function takeSign(cursor: Cursor): Sign | undefined {
  if (cursor.take("+")) return "+";
  if (cursor.take("-")) return "-";
  for (const name of ["pm", "mp"] as const) {
    if (cursor.isCommand(name)) {
      cursor.next();
      return name;
    }
  }
  return undefined;
}

const isSign = (cursor: Cursor): boolean =>
  cursor.isMark("+") || cursor.isMark("-") || cursor.isCommand("pm") || cursor.isCommand("mp");

const signed = (sign: Sign, node: Node): Node => {
  if (sign === "+") return node;
  return call(sign === "-" ? "neg" : sign, node);
};

export function parseSum(cursor: Cursor): Node {
  return cursor.nested(() => {
    cursor.takeCurrency();
    let sign = takeSign(cursor);
    const minus = sign === "-" && !isSign(cursor);
    const terms = [sign && !minus ? signed(sign, signedProduct(cursor)) : signedProduct(cursor, minus)];
    for (sign = takeSign(cursor); sign; sign = takeSign(cursor)) terms.push(signed(sign, signedProduct(cursor)));
    return terms.length === 1 ? terms[0]! : (withoutElements(terms) ?? call("add", ...terms));
  });
}

/** `\mathbb{R} - \{3\}`. */
function withoutElements([set, taken, more]: Node[]): Node | undefined {
  const isSet = (node: Node): boolean => node.kind === "group" || (node.kind === "sym" && /^set /.test(node.name));
  if (!taken || more || !isCall(taken, "neg") || !isSet(set!) || !isSet(taken.args[0]!)) return undefined;
  return call("setminus", set!, taken.args[0]!);
}

/** A product that may carry further signs: `++3`, `--3`. */
function signedProduct(cursor: Cursor, minus = false): Node {
  const sign = takeSign(cursor);
  return sign
    ? signed(
        sign,
        cursor.nested(() => signedProduct(cursor)),
      )
    : parseProduct(cursor, minus);
}

/** With `minus`, the sign before it, which goes with what stands left of a modulus: `-7 \bmod 3` is (−7) mod 3. */
export function parseProduct(cursor: Cursor, minus = false): Node {
  let left = parsePower(cursor);
  for (let colon = false; ; ) {
    if (cursor.take("*")) {
      left = call("mul", left, factor(cursor));
    } else if (cursor.isMark("/") || (cursor.isMark(":") && !cursor.inBuilder)) {
      const op = cursor.next().text;
      left = op === ":" ? ratio(left, factor(cursor), colon) : call("div", left, factor(cursor));
      colon = op === ":";
    } else if (takeText(cursor, /^\s*to\s*$/)) {
      left = ratio(left, factor(cursor));
    } else if (takePercent(cursor)) {
      left = percent(left);
    } else if (takeDegree(cursor) || (left.kind === "num" && takeCircle(cursor))) {
      left = call("deg", left);
    } else if (cursor.isCommand("angle") && left.kind === "num") {
      cursor.next();
      left = polar(left, parsePower(cursor), cursor);
    } else if (cursor.isCommand("mod") || cursor.isCommand("pmod")) {
      left = call(cursor.isCommand("pmod") ? "pmod" : "mod", minus ? call("neg", left) : left, modulus(cursor));
      minus = false;
    } else if (startsFactor(cursor) && !(left.kind === "group" && isUnionLetter(cursor))) {
      // Words with something behind them are no factor: the whole answer is read as text.
      if (left.kind === "text") throw new NotFormula();
      // `5 6` is no product of numbers.
      if (cursor.peek()?.kind === "num" && endsInNumber(left)) throw new NotFormula();
      left =
        isCall(left, "deg") && isMinutes(cursor) ? sexagesimal(cursor, left) : call("mul", left, parsePower(cursor));
    } else {
      return minus ? call("neg", left) : left;
    }
  }
}

const endsInNumber = (node: Node): boolean => (isCall(node, "mul") ? node.args.at(-1)! : node).kind === "num";

const isMinutes = (cursor: Cursor): boolean => cursor.peek()?.kind === "num" && cursor.isMark("'", 1);

/** `15^\circ 30' 36''`: minutes and seconds of arc. */
function sexagesimal(cursor: Cursor, degrees: Node): Node {
  const terms = [degrees];
  for (let unit = 60n; isMinutes(cursor); unit *= 60n) {
    const part = parsePrimary(cursor);
    while (cursor.take("'")) {
      // One mark for minutes, two for seconds.
    }
    terms.push(call("deg", call("div", part, num(rational(unit)))));
  }
  return call("add", ...terms);
}

/** `2:3` is a quotient, `2:3:4` a ratio of three. */
function ratio(left: Node, right: Node, chained = false): Node {
  if (left.kind !== "call") return call("div", left, right);
  if (left.op === "ratio") return call("ratio", ...left.args, right);
  return left.op === "div" && (chained || left.args.every((arg) => arg.kind === "num"))
    ? call("ratio", ...left.args, right)
    : call("div", left, right);
}

const factor = (cursor: Cursor): Node => {
  const sign = takeSign(cursor);
  return sign ? signed(sign, factor(cursor)) : parsePower(cursor);
};

/** Factors standing side by side, up to the next function: what `\sin 2 \pi t` applies to. */
export function parseJuxtaposed(cursor: Cursor): Node {
  const sign = takeSign(cursor);
  if (sign)
    return signed(
      sign,
      cursor.nested(() => parseJuxtaposed(cursor)),
    );
  let left = parsePower(cursor);
  while (startsFactor(cursor) && !isFunctionWord(cursor) && !isDifferential(cursor.peek()))
    left = call("mul", left, parsePower(cursor));
  return takeDegree(cursor) ? call("deg", left) : left;
}

const isFunctionWord = (cursor: Cursor): boolean => {
  const token = cursor.peek();
  return token?.kind === "word" && functions.has(token.text);
};

function takeText(cursor: Cursor, pattern: RegExp): boolean {
  const token = cursor.peek();
  const fits =
    (token?.kind === "text" || (token?.kind === "word" && token.text.length > 1)) && pattern.test(token.text);
  if (fits) cursor.next();
  return fits;
}

const takePercent = (cursor: Cursor): boolean =>
  cursor.take("%") || takeText(cursor, /^\s*(?:\\?%|percent|percentage|per cent|pct)\s*$/);
/** `40\degree`, without the caret. */
const takeCircle = (cursor: Cursor): boolean => cursor.isCommand("circ") && cursor.next() !== undefined;
const takeDegree = (cursor: Cursor): boolean => takeText(cursor, /^\s*(?:degrees?|\^?\s?\\circ)\s*$/);

function percent(node: Node): Node {
  const hundredth = rational(1n, 100n);
  if (node.kind !== "num") return call("mul", node, num(hundredth));
  const value = multiply(node.value, hundredth);
  return node.places === undefined ? num(value) : num(value, node.places + 2);
}

/** `2\angle 60^\circ`: modulus and argument of a complex number. */
function polar(modulus: Node, argument: Node, cursor: Cursor): Node {
  const angle = takeDegree(cursor) ? call("deg", argument) : argument;
  return call("mul", modulus, call("pow", sym("e"), call("mul", sym("i"), angle)));
}

/** What follows `\mod` or `\pmod`. */
function modulus(cursor: Cursor): Node {
  cursor.next();
  return factor(cursor);
}

/** Whether the next token begins a factor that multiplies what stands before it. */
export function startsFactor(cursor: Cursor): boolean {
  const token = cursor.peek();
  if (!token || isSeparator(token)) return false;
  switch (token.kind) {
    case "num":
      return true;
    case "word":
      return token.text.length === 1 || functions.has(token.text) || (!isUnitWord(token.text) && token.text === "pi");
    case "text":
      // `2\mathrm{e}^{x}`, `3\mathrm{i}`; any other letter behind a value is a unit.
      return /^[eid]$/.test(token.text);
    case "begin":
      return true;
    case "end":
      return false;
    case "mark":
      if (token.text === "|") return cursor.bars === 0 && !cursor.inBuilder;
      return ["(", "{", "\\{"].includes(token.text) || (token.text === "[" && !closesInterval(cursor));
    case "command":
      if (isDifferential(token)) return cursor.integrals === 0;
      return greek.has(token.text) || !infix.has(token.text);
  }
}

/** `[` behind the last end of `]0, 1[`. */
function closesInterval(cursor: Cursor): boolean {
  const next = cursor.peek(1);
  if (!next || isSeparator(next)) return true;
  return next.kind === "mark"
    ? [")", "]", "}", "\\}"].includes(next.text)
    : ["cup", "cap", "setminus"].includes(next.text);
}

/** Commands that stand between expressions or close them. */
const infix = new Set([
  ..."le ge ne approx in notin equiv to implies iff sim cong propto cup cap setminus pm mp over choose atop and or".split(
    " ",
  ),
  ..."mod pmod rangle rfloor rceil because therefore".split(" "),
]);

export function parsePower(cursor: Cursor): Node {
  let base = cursor.nested(() => parsePrimary(cursor));
  for (;;) {
    if (cursor.take("!")) {
      base = call("fact", base);
    } else if (cursor.take("'")) {
      base = prime(base);
    } else if (cursor.isMark("^")) {
      cursor.next();
      base = superscript(cursor, base);
    } else if (cursor.isMark("_") && base.kind !== "num") {
      cursor.next();
      base = call("sub", base, sym(cursor.raw()));
    } else {
      return base;
    }
  }
}

const prime = (base: Node): Node => (base.kind === "sym" ? sym(`${base.name}'`) : call("prime", base));

function superscript(cursor: Cursor, base: Node): Node {
  const braced = cursor.isMark("{") ? 1 : 0;
  const side = oneSided(cursor, braced);
  if (side) return call(side, base);
  const token = cursor.peek(braced);
  const alone = braced === 0 || cursor.isMark("}", 2);
  const letterO = token?.text.trim() === "o" && base.kind === "num";
  if (alone && (letterO || (token?.kind === "command" && token.text === "circ"))) {
    cursor.raw();
    return call("deg", base);
  }
  if (token && (token.text === "prime" || token.text === "'")) {
    const count = cursor.raw().match(/prime|'/g)?.length ?? 1;
    let result = base;
    for (let i = 0; i < count; i++) result = prime(result);
    return result;
  }
  if (token?.kind === "text" && alone) {
    if (!/^\s*(?:st|nd|rd|th)\s*$/.test(token.text)) throw new NotFormula();
    // `21^{\text{st}}`: an ordinal. (A unit's power never gets here.)
    cursor.raw();
    return base;
  }
  return call("pow", base, parseArgument(cursor));
}

/** `0^+`, `a^{-}`: a limit from one side. */
function oneSided(cursor: Cursor, braced: number): "above" | "below" | undefined {
  const sign = ["+", "-"].find((mark) => cursor.isMark(mark, braced));
  if (!sign || !(braced ? cursor.isMark("}", 2) : !cursor.peek(1) || cursor.isMark("}", 1))) return undefined;
  cursor.raw();
  return sign === "+" ? "above" : "below";
}

/** A braced argument, or the next factor when there are no braces (`x^2`, `x^-1`, `\sqrt 2`). */
export function parseArgument(cursor: Cursor): Node {
  if (cursor.isMark("{")) return cursor.nested(() => parsePrimary(cursor));
  const sign = takeSign(cursor);
  if (sign) return signed(sign, parseArgument(cursor));
  if (!cursor.peek()) throw new NotFormula();
  return cursor.nested(() => parsePrimary(cursor));
}
