/** Commands with arguments of their own: fractions, roots, binomials, matrices, accents. */
import { call, group, type Matrix, type Node, num, sym } from "../ast.js";
import { rational } from "../value/rational.js";
import { isSeparator, parseClause, parseClauses } from "./answer.js";
import { parseBigOperator, parseDerivative } from "./calculus.js";
import { type Cursor, NotFormula } from "./cursor.js";
import { parseArgument, parseSum } from "./expression.js";
import { accents } from "./names.js";
import { parseName } from "./primary.js";

export function parseCommand(cursor: Cursor, name: string): Node {
  switch (name) {
    case "frac":
      return parseFraction(cursor);
    case "sqrt":
      return parseRoot(cursor);
    case "binom":
      return call("binom", ...twoArguments(cursor));
    case "infty":
      return sym("oo");
    case "emptyset":
      return group("{", "}", []);
    case "langle":
      return closed(cursor, "rangle", (items) => group("(", ")", items));
    case "lfloor":
      return closed(cursor, "rfloor", (items) => call("floor", ...items));
    case "lceil":
      return closed(cursor, "rceil", (items) => call("ceil", ...items));
    case "sum":
    case "prod":
    case "int":
    case "iint":
    case "oint":
    case "lim":
      return parseBigOperator(cursor, name);
    case "mathbb":
      return parseNumberSet(cursor);
    case "i":
    case "j":
      return sym(name);
    default:
      return accents.has(name) ? parseAccent(cursor, name) : parseName(cursor, name);
  }
}

function closed(cursor: Cursor, closer: string, build: (items: Node[]) => Node): Node {
  const items = cursor.bracketed(() => parseClauses(cursor));
  if (!cursor.isCommand(closer) || items.length === 0) throw new NotFormula();
  cursor.next();
  return build(items);
}

function parseFraction(cursor: Cursor): Node {
  const [top, bottom] = twoArguments(cursor);
  return parseDerivative(cursor, top, bottom) ?? call("div", top, bottom);
}

/** `{a}{b}`, `12`, ` 3{50}`; digits side by side are split only when both arguments are bare. */
function twoArguments(cursor: Cursor): [Node, Node] {
  const token = cursor.peek();
  if (token?.kind !== "num" || !/^\d\d+$/.test(token.text) || cursor.isMark("{", 1))
    return [parseArgument(cursor), parseArgument(cursor)];
  const [top, bottom, rest] = [token.text[0]!, token.text[1]!, token.text.slice(2)];
  if (rest === "") cursor.next();
  else cursor.replace({ kind: "num", value: rational(BigInt(rest)), text: rest, spaced: false });
  return [num(rational(BigInt(top))), num(rational(BigInt(bottom)))];
}

/** `\sqrt{x}`, `\sqrt[3]{x}`, `\sqrt2`. */
function parseRoot(cursor: Cursor): Node {
  if (!cursor.take("[")) return call("sqrt", parseArgument(cursor));
  const degree = cursor.bracketed(() => parseSum(cursor));
  cursor.expect("]");
  return call("root", parseArgument(cursor), degree);
}

/** `\mathbb{R}`, `\mathbb{R}_{\ge 0}`, `\mathbb{R}^+`, `\mathbb{Z}_{>0}`: parts of ℝ as intervals, of others by name. */
function parseNumberSet(cursor: Cursor): Node {
  const set = cursor.raw();
  const marked = (cursor.isMark("_") || cursor.isMark("^")) && cursor.peek(1)?.kind !== "num";
  if (!marked) return sym(`set ${set}`);
  cursor.next();
  const part = cursor.raw();
  if (set !== "R") return sym(`set ${set} ${part}`);
  const zero = num(rational(0n));
  if (/^(?:\*|ne0)$/.test(part)) return call("setminus", sym("set R"), group("{", "}", [zero]));
  const closed = /^[gl]e/.test(part);
  if (/^(?:-|<|le)/.test(part)) return group("(", closed ? "]" : ")", [call("neg", sym("oo")), zero]);
  return group(closed ? "[" : "(", ")", [zero, sym("oo")]);
}

/** `\hat{x}_1`: the accent is part of the name; over an expression a bar is the conjugate. */
function parseAccent(cursor: Cursor, accent: string): Node {
  const bar = accent === "bar" || accent === "overline";
  if (
    bar &&
    cursor.isMark("{") &&
    [1, 2, 3, 4, 5].some((at) => cursor.isMark("+", at) || (at > 1 && cursor.isMark("-", at)))
  )
    return call("conj", parseArgument(cursor));
  const inner = cursor.raw();
  return parseName(cursor, `${accent}(${inner})`);
}

const matrixShapes = new Set(["matrix", "pmatrix", "bmatrix", "Bmatrix", "smallmatrix", "psmallmatrix", "array"]);

export function parseMatrix(cursor: Cursor, environment: string, inBrace = false): Node {
  const cases = inBrace || /cases$/.test(environment);
  const transparent = /^(?:align|aligned|gather|gathered|split|equation|multline)$/.test(environment);
  if (!cases && environment !== "vmatrix" && !transparent && !matrixShapes.has(environment)) throw new NotFormula();
  const rows = cursor.bracketed(() => parseRows(cursor, cases));
  if (cursor.peek()?.kind !== "end") throw new NotFormula();
  cursor.next();
  // A system of equations is the list of them.
  if (transparent || (cases && rows.flat().every((cell) => cell.kind === "rel"))) return group("", "", rows.flat());
  if (rows.length === 0) throw new NotFormula();
  const matrix: Matrix = {
    kind: "matrix",
    rows,
    shape: cases ? "cases" : environment === "vmatrix" ? "vmatrix" : "matrix",
  };
  return matrix;
}

function parseRows(cursor: Cursor, cases: boolean): Node[][] {
  const rows: Node[][] = [];
  while (cursor.peek() && cursor.peek()?.kind !== "end") {
    const row: Node[] = [];
    do row.push(parseCell(cursor));
    while (cursor.take("&") || (cases && !endsRow(cursor)));
    rows.push(row);
    if (!cursor.take("\\\\")) break;
  }
  return rows;
}

const endsRow = (cursor: Cursor): boolean => cursor.isMark("\\\\") || cursor.peek()?.kind === "end" || !cursor.peek();

function parseCell(cursor: Cursor): Node {
  if (cursor.isMark("&") || cursor.isMark("\\\\")) return sym("");
  const token = cursor.peek();
  if ((token?.kind === "text" || token?.kind === "word") && /^\s*,?\s*(?:if|for|when|where)\s*$/.test(token.text))
    cursor.next();
  const parts = [parseClause(cursor)];
  while (cursor.take(",") || cursor.take(";") || cursor.take(".")) {
    // Punctuation between the value and its condition.
  }
  // `x < 0 \text{ or } x > 1`
  while (parts[0]!.kind === "rel" && isSeparator(cursor.peek()) && !endsRow(cursor)) {
    cursor.next();
    parts.push(parseClause(cursor));
  }
  return parts.length === 1 ? parts[0]! : group("", "", parts);
}
