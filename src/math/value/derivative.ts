/** Derivatives of expressions, term by term. */
import { call, isCall, type Node, num } from "../ast.js";
import { one, rational, zero } from "./rational.js";

const whole = (n: bigint): Node => num(rational(n));
const times = (...args: Node[]): Node => call("mul", ...args);
const over = (a: Node, b: Node): Node => call("div", a, b);
const minus = (a: Node): Node => call("neg", a);
const square = (a: Node): Node => call("pow", a, whole(2n));
/** 1 ± a² */
const oneWith = (a: Node, sign: 1 | -1): Node => call("add", whole(1n), sign === 1 ? square(a) : minus(square(a)));

/** f′(u) for the functions of one argument. */
const outer: Record<string, (u: Node) => Node> = {
  sin: (u) => call("cos", u),
  cos: (u) => minus(call("sin", u)),
  tan: (u) => over(whole(1n), square(call("cos", u))),
  cot: (u) => minus(over(whole(1n), square(call("sin", u)))),
  sec: (u) => times(call("sec", u), call("tan", u)),
  csc: (u) => minus(times(call("csc", u), call("cot", u))),
  sinh: (u) => call("cosh", u),
  cosh: (u) => call("sinh", u),
  tanh: (u) => over(whole(1n), square(call("cosh", u))),
  arcsin: (u) => over(whole(1n), call("sqrt", oneWith(u, -1))),
  arccos: (u) => minus(over(whole(1n), call("sqrt", oneWith(u, -1)))),
  arctan: (u) => over(whole(1n), oneWith(u, 1)),
  ln: (u) => over(whole(1n), u),
  "log?": (u) => over(whole(1n), u),
  sqrt: (u) => over(whole(1n), times(whole(2n), call("sqrt", u))),
  abs: (u) => over(call("abs", u), u),
};

const mentions = (node: Node, name: string): boolean =>
  node.kind === "sym" ? node.name === name : node.kind === "call" && node.args.some((arg) => mentions(arg, name));

/** d/dx of `node`, or undefined where it holds something we cannot derive. Other names are constants. */
export function derivative(node: Node, name: string): Node | undefined {
  if (node.kind === "num" || (node.kind !== "call" && node.kind !== "sym"))
    return node.kind === "num" ? num(zero) : undefined;
  if (!mentions(node, name)) return num(zero);
  if (node.kind === "sym") return num(one);
  const inner = node.args.map((arg) => derivative(arg, name));
  if (inner.some((arg) => arg === undefined)) return undefined;
  return byRule(node.op, node.args, inner as Node[]);
}

function byRule(op: string, args: Node[], inner: Node[]): Node | undefined {
  const [u, v] = args as [Node, Node];
  const [du, dv] = inner as [Node, Node];
  switch (op) {
    case "add":
      return call("add", ...inner);
    case "neg":
      return minus(du);
    case "mul":
      return call("add", ...args.map((_, i) => times(...args.map((arg, j) => (i === j ? inner[i]! : arg)))));
    case "div":
      return over(call("add", times(du, v), minus(times(u, dv))), square(v));
    case "pow":
      return power(u, v, du, dv);
    case "root":
      return power(u, over(whole(1n), v), du, num(zero));
    case "log":
      return du.kind === "num" && du.value.n === 0n ? over(dv, times(v, call("ln", u))) : undefined;
    default:
      return outer[op] && times(outer[op](u), du);
  }
}

/** u^v: v·u^(v−1)·u′ for a constant v, else u^v (v′ ln u + v u′ / u). */
function power(u: Node, v: Node, du: Node, dv: Node): Node {
  const constant = dv.kind === "num" && dv.value.n === 0n;
  if (constant) return times(v, call("pow", u, call("add", v, whole(-1n))), du);
  const isE = u.kind === "sym" && u.name === "e";
  if (isE) return times(call("pow", u, v), dv);
  return times(call("pow", u, v), call("add", times(dv, call("ln", u)), over(times(v, du), u)));
}

/** The tree with every derivative in it carried out; undefined where one cannot be. */
export function derived(node: Node): Node | undefined {
  if (node.kind !== "call") return node;
  const args = node.args.map(derived);
  if (args.some((arg) => arg === undefined)) return undefined;
  if (!isCall(node, "diff")) return call(node.op, ...(args as Node[]));
  let body: Node | undefined = args[0];
  for (const variable of node.args.slice(1))
    body = body && derivative(body, variable.kind === "sym" ? variable.name : "");
  return body;
}
