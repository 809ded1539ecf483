/** Values of sums, products, integrals and limits at a point. */
import type { Call, Node } from "../ast.js";
import type { Budget } from "../limits.js";
import { addBalls, type Ball, multiplyBalls } from "./ball.js";
import { derivative, infiniteSum, integral, limit } from "./calculus.js";
import { isInfinite, numericValue, type Point } from "./numeric.js";

/** The variable an operator binds: the k of a sum, the x of a definite integral or a limit. */
export function boundVariable(node: Call): string | undefined {
  const [, second, third] = node.args;
  if (node.op === "int") {
    const indefinite = third?.kind === "sym" && third.name === "";
    return second?.kind === "sym" && !indefinite ? second.name : undefined;
  }
  if (!["sum", "prod", "lim"].includes(node.op) || second?.kind !== "rel") return undefined;
  const name = second.args[0]!;
  return name.kind === "sym" ? name.name : undefined;
}

/** Operators that name a computation not carried out. */
export const operators = new Set(["sum", "prod", "int", "iint", "oint", "lim", "diff"]);

/** The value, or undefined where it cannot be had to the digits that a comparison needs. */
export function operatorValue(node: Call, point: Point, budget: Budget): Ball | undefined {
  const derived = node.op === "diff" && node.args[1]!.kind === "sym" ? node.args[1]!.name : undefined;
  const name = derived ?? boundVariable(node);
  if (name === undefined) return undefined;
  const body = (x: number): Ball | undefined =>
    point.within(name, x, (inner) => numericValue(node.args[0]!, inner, budget));
  switch (node.op) {
    case "diff": {
      const at = point.get(name);
      return at === undefined ? undefined : derivative(body, at, node.args.length - 1);
    }
    case "int": {
      const [low, high] = [end(node.args[2]!, point, budget), end(node.args[3]!, point, budget)];
      return low === undefined || high === undefined ? undefined : integral(body, low, high);
    }
    case "lim":
      return limitValue(node, body, point, budget);
    default:
      return series(node, body, point, budget);
  }
}

function end(node: Node, point: Point, budget: Budget): number | undefined {
  const sign = isInfinite(node);
  if (sign !== 0) return sign * Number.POSITIVE_INFINITY;
  const value = numericValue(node, point, budget);
  return value && Math.abs(value.im) <= value.err ? value.re : undefined;
}

function integer(node: Node, point: Point, budget: Budget): number | undefined {
  const value = end(node, point, budget);
  if (value === undefined || !Number.isFinite(value)) return value;
  return Math.abs(value - Math.round(value)) < 1e-9 ? Math.round(value) : undefined;
}

const longest = 2_000;

function series(node: Call, body: (k: number) => Ball | undefined, point: Point, budget: Budget): Ball | undefined {
  const lower = node.args[1]!;
  if (lower.kind !== "rel" || lower.ops.join() !== "=") return undefined;
  const [from, to] = [integer(lower.args[1]!, point, budget), integer(node.args[2]!, point, budget)];
  if (from === undefined || to === undefined) return undefined;
  if (to === Number.POSITIVE_INFINITY) return node.op === "sum" ? infiniteSum(body, from) : undefined;
  if (to - from > longest || to < from - 1) return undefined;
  let total: Ball | undefined = { re: node.op === "sum" ? 0 : 1, im: 0, err: 0 };
  for (let k = from; k <= to && total; k++) {
    const term = body(k);
    total = term && (node.op === "sum" ? addBalls(total, term) : multiplyBalls(total, term));
  }
  return total;
}

/** `x \to 0^+` has one side, `x \to 0` two that must agree. */
function limitValue(node: Call, body: (x: number) => Ball | undefined, point: Point, budget: Budget): Ball | undefined {
  const approach = node.args[1]!;
  if (approach.kind !== "rel" || approach.ops.join() !== "to") return undefined;
  const target = approach.args[1]!;
  const side = target.kind === "call" && (target.op === "above" || target.op === "below") ? target.op : undefined;
  const at = end(side ? (target as Call).args[0]! : target, point, budget);
  if (at === undefined) return undefined;
  return limit(body, at, side === "above" || !Number.isFinite(at) ? [1] : side === "below" ? [-1] : [1, -1]);
}

/** The names that stand in the bounds of sums and products: they are integers. */
export function countingVariables(node: Node, into = new Set<string>()): Set<string> {
  if (node.kind !== "call") return into;
  if (node.op === "sum" || node.op === "prod") for (const bound of node.args.slice(1)) names(bound, into);
  for (const arg of node.args) countingVariables(arg, into);
  return into;
}

function names(node: Node, into: Set<string>): void {
  if (node.kind === "sym") into.add(node.name);
  else if (node.kind === "call") for (const arg of node.args) names(arg, into);
  else if (node.kind === "rel") names(node.args.at(-1)!, into);
}
