/** Equations and inequalities. */
import {
  call,
  children,
  isCall,
  type Node,
  num,
  type Relation,
  type RelationOp,
  render,
  substitute,
  sym,
  withChildren,
} from "../ast.js";
import { numericValue, variables } from "../value/numeric.js";
import { zero } from "../value/rational.js";
import { samplePoint } from "./expressions.js";
import { named, sameName } from "./names.js";
import { type Context, different, equal, every, isEqual, type Verdict } from "./verdict.js";

type Compare = (a: Node, b: Node, context: Context) => Verdict;

/** A chain without its approximations: `x = 4/3 ≈ 1.33` as x = 4/3, `4/3 ≈ 1.33` as 4/3, `x ≈ 3` as x = 3. */
export function dropApproximations(relation: Relation): Node {
  const first = relation.ops.indexOf("~");
  if (first < 0) return relation;
  if (first === 0 && variables(relation.args[0]!).size > 0) {
    return dropApproximations({ ...relation, ops: ["=", ...relation.ops.slice(1)] });
  }
  if (first === 0) return relation.args[0]!;
  return { kind: "rel", args: relation.args.slice(0, first + 1), ops: relation.ops.slice(0, first) };
}

export const isEquation = (node: Node): node is Relation => node.kind === "rel" && node.ops.every((op) => op === "=");

/** What a relation says its left side is: the end of a chain of equations, the set behind ∈. */
export function assignedValue(relation: Relation): Node | undefined {
  const last = relation.args.at(-1)!;
  // `x \equiv 7 \pmod{11}` against `7 \pmod{11}`.
  const residue = relation.ops.join() === "equiv" && isCall(last, "pmod");
  if (residue || relation.ops.join() === "in" || isEquation(relation)) return last;
  return undefined;
}

/** The sign between the same sides read from right to left. */
export const mirrored: Partial<Record<RelationOp, RelationOp>> = {
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
  "=": "=",
  "!=": "!=",
};

/** The chain read from right to left. */
function mirror(relation: Relation): Relation | undefined {
  const ops = relation.ops.map((op) => mirrored[op]);
  if (ops.some((op) => op === undefined)) return undefined;
  return { kind: "rel", args: [...relation.args].reverse(), ops: (ops as RelationOp[]).reverse() };
}

/** `f(x) = x + 1` against `y = x + 1` or `f(t) = t + 1`: one name, one value. */
function compareNamed(a: Relation, b: Relation, context: Context, compare: Compare): boolean {
  const [x, y] = [named(a), named(b)];
  if (!x || !y || !sameName(x, y)) return false;
  const rename = x.argument && y.argument && x.argument !== y.argument && !variables(y.value).has(x.argument);
  const value = rename ? substitute(y.value, y.argument!, sym(x.argument!)) : y.value;
  return (
    (rename || x.argument === y.argument || !x.argument || !y.argument) && isEqual(compare(x.value, value, context))
  );
}

export function compareRelations(a: Relation, b: Relation, context: Context, compare: Compare): Verdict {
  const sameChain = (left: Relation, right: Relation): boolean =>
    left.ops.join() === right.ops.join() &&
    isEqual(every(left.args, (part, i) => compare(part, right.args[i]!, context), "chain"));
  const back = mirror(b);
  if (sameChain(a, b) || (back && sameChain(a, back))) return equal("same sides");
  if (compareNamed(a, b, context, compare)) return equal("same name");
  if (a.ops.length === 1 && b.ops.length === 1) return compareSingle(a, b, context, compare);
  if (isEquation(a) && isEquation(b)) return compareChains(a, b, context, compare);
  return different("relation");
}

/** `x = 26/6 = 13/3` against `x = 13/3`: a longer chain by its ends or by its last two sides. */
function compareChains(a: Relation, b: Relation, context: Context, compare: Compare): Verdict {
  for (const x of shortened(a)) {
    for (const y of shortened(b)) {
      if (isEqual(compareRelations(x, y, context, compare))) return equal("chain");
    }
  }
  return different("chain");
}

function shortened(chain: Relation): Relation[] {
  if (chain.args.length === 2) return [chain];
  const [first, beforeLast, last] = [chain.args[0]!, chain.args.at(-2)!, chain.args.at(-1)!];
  return [
    { kind: "rel", args: [first, last], ops: ["="] },
    { kind: "rel", args: [beforeLast, last], ops: ["="] },
  ];
}

const withoutUnit = (node: Node): Node =>
  node.kind === "quantity" ? node.value : withChildren(node, children(node).map(withoutUnit));
const difference = (relation: Relation): Node =>
  call("add", withoutUnit(relation.args[0]!), call("neg", withoutUnit(relation.args[1]!)));

/**
 * One relation each: l₁ − r₁ must be a constant multiple of l₂ − r₂, of the right sign for inequalities. Constant means
 * d₁(P)·d₂(Q) = d₁(Q)·d₂(P) for independent points P and Q: the variables of Q are renamed.
 */
function compareSingle(a: Relation, b: Relation, context: Context, compare: Compare): Verdict {
  const opB = directed(b);
  const opA = directed(a);
  if (opA.op !== opB.op) return different("relation");
  const [x, y] = [opA.difference, opB.difference].map(solvable) as [Node, Node];
  const names = [...new Set([...variables(x), ...variables(y)])];
  if (names.length === 0) return different("sides");
  const xElsewhere = names.reduce((node, name) => substitute(node, name, { kind: "sym", name: `${name}*` }), x);
  const yElsewhere = names.reduce((node, name) => substitute(node, name, { kind: "sym", name: `${name}*` }), y);
  const proportional = compare(call("mul", x, yElsewhere), call("mul", xElsewhere, y), context);
  if (!isEqual(proportional)) return { ...proportional, rule: "equation" };
  const isZero = (node: Node): boolean => isEqual(compare(node, num(zero), context));
  if (isZero(x) || isZero(y)) return different("equation");
  if (opA.op === "=" || opA.op === "!=") return equal("proportional");
  return sameSign(x, y, names, context) ? equal("proportional") : different("relation");
}

/**
 * Matrices become names, and so do function values in an equation without variables: `\log_6 216 = 3` says something of
 * the logarithm, not that 3 = 3.
 */
function solvable(node: Node): Node {
  const constant = variables(node).size === 0;
  const change = (inner: Node): Node => {
    if (inner.kind === "num" || inner.kind === "sym") return inner;
    if (inner.kind === "call" && (!constant || arithmetic.has(inner.op)))
      return { ...inner, args: inner.args.map(change) };
    return sym(`<${render(inner)}>`);
  };
  return change(node);
}

const arithmetic = new Set(["add", "mul", "neg", "div", "pow"]);

/** Everything as d < 0, d ≤ 0, d = 0 or d ≠ 0. */
function directed(relation: Relation): { op: RelationOp; difference: Node } {
  const op = relation.ops[0]!;
  if (op === ">" || op === ">=") return { op: op === ">" ? "<" : "<=", difference: call("neg", difference(relation)) };
  return { op, difference: difference(relation) };
}

function sameSign(x: Node, y: Node, names: string[], context: Context): boolean {
  for (let attempt = 0; attempt < 6; attempt++) {
    const point = samplePoint(names, attempt);
    const [u, v] = [numericValue(x, point, context.budget), numericValue(y, point, context.budget)];
    if (u && v && Math.abs(u.re) > u.err && Math.abs(v.re) > v.err) return Math.sign(u.re) === Math.sign(v.re);
  }
  return false;
}
