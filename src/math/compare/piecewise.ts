/**
 * Functions in pieces by value, whatever the order and form of the pieces: `\begin{cases} x & x \ge 0 \\ -x & x < 0
 * \end{cases}` is |x|. They are evaluated at the ends of all conditions, between them and beyond; where one side has no
 * piece the other may have none.
 */
import { call, type Matrix, type Node } from "../ast.js";
import type { Ball } from "../value/ball.js";
import { numericValue, variables } from "../value/numeric.js";
import { agree, samplePoint } from "./expressions.js";
import { complement, type Interval, realSet } from "./intervals.js";
import { type Context, different, equal, undecided, type Verdict } from "./verdict.js";

interface Piece {
  value: Node;
  where: Interval[];
}

const isCases = (node: Node): node is Matrix => node.kind === "matrix" && node.shape === "cases";

/** The verdict, or undefined where the conditions are no sets of reals of one variable. */
export function comparePieces(a: Node, b: Node, context: Context): Verdict | undefined {
  const conditions = [a, b].filter(isCases).flatMap(({ rows }) => rows.map((row) => row[1]));
  const [name, ...others] = variables(call("", ...conditions.flatMap(sides)));
  const [x, y] = name === undefined ? [] : [piecesOf(a, context), piecesOf(b, context)];
  if (!x || !y || others.length > 0) return undefined;
  for (const at of places([...x, ...y])) {
    const [u, v] = [x, y].map((pieces) => valueAt(pieces, name!, at, context));
    if (u === undefined || v === undefined) return undecided("no numeric value");
    if (u && v ? agree(u, v) !== true : u !== v) return different("pieces");
  }
  return equal("pieces");
}

const sides = (node: Node | undefined): Node[] =>
  node?.kind === "rel" || node?.kind === "group" ? node.args.flatMap(sides) : node ? [node] : [];

function piecesOf(node: Node, context: Context): Piece[] | undefined {
  if (!isCases(node)) return [{ value: node, where: complement([]) }];
  const pieces: Piece[] = [];
  for (const [value, condition, more] of node.rows) {
    const rest = condition?.kind === "text" && /^\s*(?:otherwise|else)\b/i.test(condition.text);
    const where = rest ? complement(pieces.flatMap((piece) => piece.where)) : condition && realSet(condition, context);
    if (!where || more) return undefined;
    pieces.push({ value: value!, where });
  }
  return pieces;
}

function places(pieces: Piece[]): number[] {
  const ends = pieces.flatMap(({ where }) => where.flatMap(({ low, high }) => [low.value, high.value]));
  const cuts = [...new Set(ends)].filter(Number.isFinite).sort((a, b) => a - b);
  const [first, last] = [cuts[0] ?? 0, cuts.at(-1) ?? 0];
  const between = cuts.flatMap((cut, i) =>
    [0, 0.11, 0.37, 0.72].map((share) => cut + share * ((cuts[i + 1] ?? cut) - cut)),
  );
  return between.concat([0.3, 1.7, 8.1, 90].flatMap((distance) => [first - distance, last + distance]));
}

/** The value of the first piece that holds there; null where none does. */
function valueAt(pieces: Piece[], name: string, at: number, context: Context): Ball | null | undefined {
  context.budget.spend(pieces.length);
  const piece = pieces.find(({ where }) =>
    where.some(
      ({ low, high }) =>
        (low.closed ? low.value <= at : low.value < at) && (high.closed ? high.value >= at : high.value > at),
    ),
  );
  if (!piece) return null;
  return numericValue(piece.value, samplePoint([...variables(piece.value)], 0).set(name, at), context.budget);
}
