/**
 * The outer grammar of answers: lists, relations, unions, quantities.
 *   list     := clause ((","|";"|"and"|"or"|"\\") clause)*
 *   clause   := value (relation value)*
 *   value    := sum (("∪"|"∩"|"∖") sum)* unit?
 */
import { call, type Group, group, type Node, type Quantity, type Relation, type RelationOp } from "../ast.js";
import { type Cursor, NotFormula } from "./cursor.js";
import { parseSum } from "./expression.js";
import type { Token } from "./lexer.js";
import { addQuantities, parseUnit, sameKind } from "./quantity.js";

const relations: Record<string, RelationOp> = {
  "=": "=",
  "<": "<",
  ">": ">",
  le: "<=",
  ge: ">=",
  ne: "!=",
  approx: "~",
  in: "in",
  notin: "notin",
  equiv: "equiv",
  to: "to",
  implies: "to",
  iff: "equiv",
  sim: "equiv",
  cong: "equiv",
  propto: "equiv",
};

const relationAt = (token: Token | undefined): RelationOp | undefined =>
  token?.kind === "mark" || token?.kind === "command" ? relations[token.text] : undefined;

/** `\text{ or }`, `and`, `,`, `;`, a line break. */
export function isSeparator(token: Token | undefined): boolean {
  if (!token) return false;
  if (token.kind === "mark") return token.text === "," || token.text === ";" || token.text === "\\\\";
  if (token.kind === "word") return token.text === "and" || token.text === "or";
  if (token.kind === "command") return token.text === "and" || token.text === "or";
  return token.kind === "text" && /^[\s,;]*(?:and|or|,|;)[\s,;]*$/i.test(token.text);
}

/** Clauses up to a token that neither continues a clause nor separates two. */
export function parseClauses(cursor: Cursor, rowEnds: number[] = []): Node[] {
  const items: Node[] = [];
  // `]0, 1[` begins with a bracket that closes elsewhere.
  const closing = (): boolean => !cursor.peek() || (isClosing(cursor) && !(items.length === 0 && cursor.isMark("]")));
  while (isSeparator(cursor.peek())) cursor.next();
  while (!closing()) {
    items.push(cursor.nested(() => parseClause(cursor)));
    if (!isSeparator(cursor.peek())) break;
    if (cursor.isMark(";")) rowEnds.push(items.length);
    while (isSeparator(cursor.peek())) cursor.next();
  }
  return items;
}

function isClosing(cursor: Cursor): boolean {
  return [")", "]", "}", "\\}"].some((mark) => cursor.isMark(mark));
}

export function parseClause(cursor: Cursor): Node {
  while (cursor.isCommand("approx") || cursor.isMark("=") || cursor.isCommand("therefore")) cursor.next();
  const parts = [parseValue(cursor)];
  const ops: RelationOp[] = [];
  for (let op = relationAt(cursor.peek()); op; op = relationAt(cursor.peek())) {
    cursor.next();
    ops.push(op);
    parts.push(parseValue(cursor));
  }
  if (ops.length === 0) return parts[0]!;
  const relation: Relation = { kind: "rel", args: parts, ops };
  return relation;
}

function parseValue(cursor: Cursor): Node {
  const outer = cursor.currency;
  cursor.currency = "";
  const value = parseSets(cursor);
  const unit = cursor.currency;
  cursor.currency = outer;
  return unit !== "" && value.kind !== "quantity" ? { kind: "quantity", value, unit } : value;
}

function parseSets(cursor: Cursor): Node {
  let left = parseUnit(cursor, parseSum(cursor));
  // `5 hours + 30 minutes`, `2 cm + 1`, `5 ft 6 in`.
  while (left.kind === "quantity" && (startsTerm(cursor) || startsPart(cursor, left)))
    left = addQuantities(left, parseUnit(cursor, parseSum(cursor)));
  for (;;) {
    const op =
      ["cup", "cap", "setminus"].find((name) => cursor.isCommand(name)) ?? (isUnionLetter(cursor) ? "cup" : undefined);
    if (!op) return left;
    cursor.next();
    left = call(op, asSet(left), asSet(parseSum(cursor)));
  }
}

/** `{1, 2} \cap {2, 3}` without backslashes: a list is a set there. */
const asSet = (node: Node): Node => (node.kind === "group" && node.open === "" ? group("{", "}", node.args) : node);

/** A number with a unit of the same kind behind a quantity. */
function startsPart(cursor: Cursor, left: Quantity): boolean {
  const unit = cursor.peek(1);
  return (
    cursor.peek()?.kind === "num" && (unit?.kind === "text" || unit?.kind === "word") && sameKind(left.unit, unit.text)
  );
}

const startsTerm = (cursor: Cursor): boolean => cursor.isMark("+") || cursor.isMark("-");

/** `(0,1] U [2,3)`. */
export const isUnionLetter = (cursor: Cursor): boolean =>
  cursor.isWord("U") && ["(", "[", "\\{"].some((open) => cursor.isMark(open, 1));

/** A whole answer: one node, a bare list when there are several clauses. */
export function parseAnswer(cursor: Cursor): Node {
  const ends: number[] = [];
  const items = inRows(parseClauses(cursor, ends), ends);
  while (cursor.take(".") || cursor.take("!")) {
    // The full stop of a sentence.
  }
  if (cursor.peek() || items.length === 0) throw new NotFormula();
  return items.length === 1 ? items[0]! : group("", "", items);
}

/** `p=5, q=2; p=7, q=2`: rows of equal length are tuples. */
function inRows(items: Node[], ends: number[]): Node[] {
  const width = ends[0] ?? 0;
  if (width < 2 || items.length % width !== 0 || ends.some((end, i) => end !== width * (i + 1))) return items;
  if (ends.length !== items.length / width - 1 && ends.length !== items.length / width) return items;
  const rows = Array.from({ length: items.length / width }, (_, i) => items.slice(i * width, (i + 1) * width));
  return rows.length < 2 ? items : rows.map((row) => group("(", ")", row));
}

/** Inside brackets: the same, as items. */
export const isTuple = (node: Node): node is Group => node.kind === "group" && node.open !== "{" && node.open !== "";
