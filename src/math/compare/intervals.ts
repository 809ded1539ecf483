/** Sets of real numbers as unions of intervals: from intervals, unions, inequalities and set builders. */
import { call, isCall, type Node, num, type Relation, type RelationOp, substitute, sym } from "../ast.js";
import { isInfinite, numericValue, Point, variables } from "../value/numeric.js";
import { rational } from "../value/rational.js";
import { compareExpressions } from "./expressions.js";
import { mirrored } from "./relations.js";
import { type Context, different, equal, isEqual, type Verdict } from "./verdict.js";

interface End {
  node: Node;
  value: number;
  closed: boolean;
}

export interface Interval {
  low: End;
  high: End;
}

const infinity = sym("oo");
const end = (node: Node, value: number, closed: boolean): End => ({ node, value, closed });
const minusInfinity = (): End => end(call("neg", infinity), Number.NEGATIVE_INFINITY, false);
const plusInfinity = (): End => end(infinity, Number.POSITIVE_INFINITY, false);

/** The set of reals that `node` describes as sorted disjoint intervals, or undefined if it describes none. */
export function realSet(node: Node, context: Context): Interval[] | undefined {
  const parts = pieces(node, context);
  return parts && merge(parts);
}

/** Whether an answer needs this view: unions, inequalities, set builders, ℝ. */
export function isRealSet(node: Node): boolean {
  if (node.kind === "builder") return true;
  if (node.kind === "sym") return node.name === "set R";
  if (node.kind === "call") return ["cup", "cap", "setminus"].includes(node.op);
  if (node.kind === "rel") return node.ops.every((op) => ["<", ">", "<=", ">=", "!="].includes(op));
  return node.kind === "group" && node.args.length > 1 && node.open === "" && node.args.every(isRealSet);
}

function pieces(node: Node, context: Context): Interval[] | undefined {
  switch (node.kind) {
    case "group":
      return groupPieces(node.open, node.close, node.args, context);
    case "sym":
      return node.name === "set R" ? [{ low: minusInfinity(), high: plusInfinity() }] : undefined;
    case "rel":
      return relationPieces(node, context);
    case "builder": {
      const conditions = node.conditions.map((condition) => pieces(condition, context));
      return combine(conditions);
    }
    case "call":
      return callPieces(node.op, node.args, context);
    default:
      return undefined;
  }
}

function groupPieces(open: string, close: string, items: Node[], context: Context): Interval[] | undefined {
  if (open === "{") {
    return allOf(items.map((item) => endAt(item, true, context)))?.map((point) => ({ low: point, high: point }));
  }
  if (open === "") return combine(items.map((item) => pieces(item, context)));
  if (items.length !== 2) return undefined;
  const low = endAt(items[0]!, open === "[", context);
  const high = endAt(items[1]!, close === "]", context);
  return low && high && low.value <= high.value ? [{ low, high }] : undefined;
}

function allOf<T>(items: (T | undefined)[]): T[] | undefined {
  return items.every((item) => item !== undefined) ? (items as T[]) : undefined;
}

function endAt(node: Node, closed: boolean, context: Context): End | undefined {
  // [−∞ is kept as written: it is not the interval that ( −∞ begins.
  if (node.kind === "sym" && node.name === "oo") return { ...plusInfinity(), closed };
  if (isInfinite(node) !== 0) return { ...minusInfinity(), closed };
  if (variables(node).size > 0) return undefined;
  const value = numericValue(node, new Point(), context.budget);
  return value && Math.abs(value.im) <= value.err ? end(node, value.re, closed) : undefined;
}

/** Several conditions: "x < 1, x > 3" is a union, "x > 1, x < 3" an intersection, as only that makes sense. */
function combine(parts: (Interval[] | undefined)[]): Interval[] | undefined {
  const sets = allOf(parts);
  if (!sets) return undefined;
  return sets.reduce((total, next) => {
    const common = intersect(total, next);
    return common.length > 0 ? common : total.concat(next);
  });
}

function callPieces(op: string, args: Node[], context: Context): Interval[] | undefined {
  const sets = allOf(args.map((arg) => pieces(arg, context)));
  if (!sets) return undefined;
  if (op === "cup") return sets.flat();
  if (op === "cap") return sets.reduce(intersect);
  if (op === "setminus") return intersect(sets[0]!, complement(sets[1]!));
  return undefined;
}

function relationPieces(relation: Relation, context: Context): Interval[] | undefined {
  if (relation.ops.length === 1 && relation.ops[0] === "in") return pieces(relation.args[1]!, context);
  let result: Interval[] | undefined;
  for (let i = 0; i < relation.ops.length; i++) {
    const next = inequality(relation.args[i]!, relation.ops[i]!, relation.args[i + 1]!, context);
    if (!next) return undefined;
    result = result ? intersect(result, next) : next;
  }
  return result;
}

/** One inequality, linear in its only variable. */
function inequality(left: Node, op: RelationOp, right: Node, context: Context): Interval[] | undefined {
  const flipped = mirrored[op];
  if (!flipped) return undefined;
  if (isCall(left, "abs")) return absolute(left.args[0]!, op, right, context);
  if (isCall(right, "abs")) return absolute(right.args[0]!, flipped, left, context);
  const solved = solveLinear(call("add", left, call("neg", right)), context);
  if (!solved) return undefined;
  const bound = endAt(solved.root, op.includes("=") && isInfinite(solved.root) === 0, context);
  if (!bound) return undefined;
  const direction = solved.rising ? op : flipped;
  if (direction === "=") return [{ low: bound, high: bound }];
  if (direction === "!=") return complement([{ low: { ...bound, closed: true }, high: { ...bound, closed: true } }]);
  return direction.startsWith("<") ? [{ low: minusInfinity(), high: bound }] : [{ low: bound, high: plusInfinity() }];
}

/** |u| < c as −c < u < c, |u| > c as u < −c or u > c. */
function absolute(inner: Node, op: RelationOp, bound: Node, context: Context): Interval[] | undefined {
  const above = inequality(inner, op, bound, context);
  const below = above && inequality(call("neg", bound), op, inner, context);
  if (!below) return undefined;
  return op.startsWith("<") ? intersect(above, below) : [...above, ...below];
}

/** Sums, differences and products: where a straight line through three points proves linearity. */
const isPolynomial = (node: Node): boolean =>
  variables(node).size === 0 ||
  node.kind === "sym" ||
  (node.kind === "call" &&
    (["add", "mul", "neg"].includes(node.op)
      ? node.args.every(isPolynomial)
      : node.op === "div" && isPolynomial(node.args[0]!) && variables(node.args[1]!).size === 0));

/** Where an expression that is linear in its only variable is zero, and whether it rises. */
function solveLinear(node: Node, context: Context): { root: Node; rising: boolean } | undefined {
  const [name, ...others] = variables(node);
  if (name === undefined || others.length > 0 || !isPolynomial(node)) return undefined;
  const infinite = infiniteBound(node);
  if (infinite) return infinite;
  const at = (value: number): Node => substitute(node, name, num(rational(BigInt(value))));
  const [f0, f1, f2] = [at(0), at(1), at(2)];
  const slope = call("add", f1, call("neg", f0));
  if (!isEqual(compareExpressions(call("add", f2, call("neg", f1)), slope, context))) return undefined;
  const rise = numericValue(slope, new Point(), context.budget);
  if (!rise || Math.abs(rise.re) <= rise.err) return undefined;
  return { root: call("neg", call("div", f0, slope)), rising: rise.re > 0 };
}

/** x − ∞, −∞ − x: from chains such as −∞ < x < 3. */
function infiniteBound(node: Node): { root: Node; rising: boolean } | undefined {
  if (!isCall(node, "add")) return undefined;
  const [left, right] = [node.args[0]!, (node.args[1] as { args: Node[] }).args[0]!];
  if (left.kind === "sym" && isInfinite(right) !== 0) return { root: right, rising: true };
  return right.kind === "sym" && isInfinite(left) !== 0 ? { root: left, rising: false } : undefined;
}

const sameValue = (a: number, b: number): boolean =>
  a === b || (Number.isFinite(a) && Number.isFinite(b) && Math.abs(a - b) <= 1e-12 * Math.max(1, Math.abs(a)));

function merge(parts: Interval[]): Interval[] {
  const sorted = [...parts].sort((a, b) => a.low.value - b.low.value || Number(b.low.closed) - Number(a.low.closed));
  const merged: Interval[] = [];
  for (const part of sorted) {
    const last = merged.at(-1);
    const touches = last && sameValue(last.high.value, part.low.value) && (last.high.closed || part.low.closed);
    if (last && (touches || (last.high.value > part.low.value && !sameValue(last.high.value, part.low.value)))) {
      merged[merged.length - 1] = { low: last.low, high: farther(last.high, part.high) };
    } else {
      merged.push(part);
    }
  }
  return merged;
}

const farther = (a: End, b: End): End => (sameValue(a.value, b.value) ? (a.closed ? a : b) : a.value > b.value ? a : b);

/** The end further in: of two equal ones the open. `side` is 1 for lower ends, −1 for upper ones. */
function inner(a: End, b: End, side: 1 | -1): End {
  if (sameValue(a.value, b.value)) return a.closed ? b : a;
  return (a.value - b.value) * side > 0 ? a : b;
}

function intersect(a: Interval[], b: Interval[]): Interval[] {
  const result: Interval[] = [];
  for (const x of a) {
    for (const y of b) {
      const [low, high] = [inner(x.low, y.low, 1), inner(x.high, y.high, -1)];
      const point = sameValue(low.value, high.value);
      if (point ? low.closed && high.closed : low.value < high.value) result.push({ low, high });
    }
  }
  return result;
}

/** The reals outside a set. */
export function complement(set: Interval[]): Interval[] {
  const gaps: Interval[] = [];
  let low = minusInfinity();
  for (const part of merge(set)) {
    if (part.low.value > low.value) gaps.push({ low, high: { ...part.low, closed: !part.low.closed } });
    low = { ...part.high, closed: !part.high.closed };
  }
  if (low.value < Number.POSITIVE_INFINITY) gaps.push({ low, high: plusInfinity() });
  return gaps;
}

/** Two sets of reals: the same ends, each open or closed alike. */
export function compareRealSets(a: Interval[], b: Interval[], context: Context): Verdict {
  if (a.length !== b.length) return different("real set");
  const same = (x: End, y: End): boolean =>
    x.closed === y.closed && isEqual(compareExpressions(x.node, y.node, context));
  const matching = a.every((part, i) => same(part.low, b[i]!.low) && same(part.high, b[i]!.high));
  return matching ? equal("real set") : different("real set");
}
