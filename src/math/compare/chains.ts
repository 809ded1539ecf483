/**
 * A chain of equations must hold along its way: `2 + 2 = 5` and `x = 4 = 5` do not say 5, whatever stands at their end.
 * A link is checked where it can be: between constants, and between expressions in the same variables.
 */
import { call, children, type Node, type Relation, render, sameStructure } from "../ast.js";
import { numericValue, variables } from "../value/numeric.js";
import { samplePoint } from "./expressions.js";
import type { Context, Verdict } from "./verdict.js";

type Compare = (a: Node, b: Node, context: Context) => Verdict;

/** The verdict on a chain that contradicts itself, or undefined when no link is known to be wrong. */
export function brokenChain(chain: Relation, context: Context, compare: Compare): Verdict | undefined {
  const links = { ...context, options: { ...context.options, decimals: 0 } };
  const constants = chain.args.filter(isConstant);
  for (let i = 1; i < constants.length; i++) {
    const verdict = compare(constants[i - 1]!, constants[i]!, links);
    if (verdict.outcome !== "equal") return { outcome: verdict.outcome, rule: "chain does not hold" };
  }
  for (let i = 1; i < chain.args.length; i++) {
    if (neverEqual(chain.args[i - 1]!, chain.args[i]!, context))
      return { outcome: "different", rule: "chain does not hold" };
  }
  return undefined;
}

/** Nothing in it varies or is unknown. */
const isConstant = (node: Node): boolean => node.kind !== "text" && names(node).size === 0;

/** What varies anywhere in a node, limits and integrals among it, the index of a finite sum not. */
function names(node: Node, into = new Set<string>()): Set<string> {
  if (node.kind === "call" && (node.op === "sum" || node.op === "prod")) {
    const [body, lower, upper] = node.args as [Node, Node, Node];
    const inner = names(upper, names(body));
    if (lower.kind === "rel" && lower.args[0]!.kind === "sym") inner.delete(lower.args[0]!.name);
    for (const name of inner) into.add(name);
    return into;
  }
  if (node.kind === "text" || (node.kind === "call" && opaque.has(node.op))) into.add(render(node));
  if (node.kind === "sym") variables(node, into);
  for (const child of children(node)) names(child, into);
  return into;
}

/** Operations that are not always worked out: a link with one is not held against the chain. */
const opaque = new Set(["lim", "int", "iint", "oint"]);

/** `2x` and `2x + 1`: the same difference at every point, and not zero. */
function neverEqual(a: Node, b: Node, context: Context): boolean {
  const [left, right] = [variables(a), variables(b)];
  if (left.size === 0 || left.size !== right.size || ![...left].every((name) => right.has(name))) return false;
  const difference = call("add", a, call("neg", b));
  const values = [0, 1, 2].map((attempt) => numericValue(difference, samplePoint([...left], attempt), context.budget));
  const [first, ...others] = values;
  if (!first || Math.hypot(first.re, first.im) <= 1e-6 + 4 * first.err) return false;
  return others.every((value) => value && Math.hypot(value.re - first.re, value.im - first.im) <= 1e-9 + 4 * value.err);
}

/**
 * Whether an equation says a value like `gold`. With a name on the left it does, unless the value needs that name and the
 * gold does not (`x = 5x/x`). Otherwise it may be a computation (`2 + 3 = 5`), steps in the same variables or an expression of several (`m + n = 5`); but `5 = 5` and
 * `5 = 5 + 0x` say nothing, and `x + 1 = 5` says x = 4.
 */
export function saysValue(chain: Relation, gold: Node, named: boolean): boolean {
  const [left, value] = [chain.args[0]!, chain.args.at(-1)!];
  if (named) return left.kind !== "sym" || !names(value).has(left.name) || names(gold).has(left.name);
  const [first, ...others] = chain.args.map((part) => names(part));
  if (first!.size === 0) return others.every((part) => part.size === 0) && !sameStructure(left, value);
  return first!.size > 1 || others.at(-1)!.size > 0;
}
