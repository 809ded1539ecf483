/** Units behind a value: `5\text{ cm}^2`, `\mathrm{ft}/\mathrm{s}`, `3 hours`. */
import { call, type Node, num, type Quantity } from "../ast.js";
import { divide, one, rational, same } from "../value/rational.js";
import { isSeparator } from "./answer.js";
import type { Cursor } from "./cursor.js";
import { denials, magnitudes, partOfOne, qualifiers } from "./names.js";
import { isUnitWord, measure } from "./units.js";

/** Text that is not a conjunction or a condition; or a bare unit word. */
function isUnit(cursor: Cursor, ahead = 0): boolean {
  const token = cursor.peek(ahead);
  if (token?.kind === "text") return !isSeparator(token) && !isQualified(token.text);
  return token?.kind === "word" && isUnitWord(token.text);
}

/** "or more", "if x > 0", "is wrong", "6": what says more than a unit. */
export const isQualified = (text: string): boolean =>
  (/\d/.test(text.replace(/\^\s?\{?-?\d\}?/g, "")) && !isUnitWord(text.trim())) ||
  text
    .toLowerCase()
    .split(/[^a-z']+/)
    .some((word) => qualifiers.has(word) || denials.has(word) || partOfOne.test(word));

/** A value with its unit, number words such as "million" worked in. */
export function quantity(value: Node, unit: string): Node {
  const [word] = unit.split(" ", 1) as [string];
  const magnitude = magnitudes[word.toLowerCase()];
  const scaled = magnitude ? call("mul", value, num(rational(magnitude))) : value;
  const rest = magnitude ? unit.slice(word.length).trim() : unit;
  return rest === "" ? scaled : { kind: "quantity", value: scaled, unit: rest };
}

/** A sum in the unit of its first term; a term without a unit, or in one we do not know, is taken to be in it. */
export function addQuantities(left: Quantity, right: Node): Quantity {
  const value = right.kind === "quantity" ? inUnit(right, left.unit) : right;
  return { ...left, value: call("add", left.value, value) };
}

/** Whether two units measure the same, as far as we know them. */
export function sameKind(a: string, b: string): boolean {
  const [first, second] = [measure(a), measure(b)];
  return first !== undefined && first.dimensions === second?.dimensions;
}

function inUnit(other: Quantity, unit: string): Node {
  const [to, from] = [measure(unit), measure(other.unit)];
  const factor = to && from && to.dimensions === from.dimensions ? divide(from.factor, to.factor) : undefined;
  return factor && !same(factor, one) ? call("mul", num(factor), other.value) : other.value;
}

/** Takes the unit behind `value`, if there is one. */
export function parseUnit(cursor: Cursor, value: Node): Node {
  cursor.takeCurrency();
  let unit = "";
  while (isUnit(cursor) || (unit !== "" && isJoined(cursor))) {
    if (!isUnit(cursor)) unit += cursor.next().text;
    unit += `${cursor.next().text} `;
    if (cursor.take("^")) unit = `${unit.trim()}^${cursor.raw()} `;
  }
  cursor.takeCurrency();
  unit = unit.trim().replace(/\s+/g, " ");
  return unit === "" ? value : quantity(value, unit);
}

/** `/`, `*` or `-` with another unit behind. */
function isJoined(cursor: Cursor): boolean {
  const joined = cursor.isMark("/") || cursor.isMark("*") || cursor.isMark("-");
  const after = cursor.peek(1);
  return joined && (isUnit(cursor, 1) || (after?.kind === "word" && after.text.length === 1));
}
