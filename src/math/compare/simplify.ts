/** Rewrites that do not change what an answer says: ± as two answers, one-element sets, scalars into matrices. */
import { call, children, type Group, group, isCall, type Matrix, type Node, withChildren } from "../ast.js";

export function simplify(node: Node): Node {
  const expanded = expandPlusMinus(node);
  if (expanded) return simplify(group("", "", expanded));
  const flat = flattenList(node);
  if (flat.kind === "group" && flat.items.length === 1 && !isSetOfSet(flat)) return simplify(flat.items[0]!);
  return distribute(flat);
}

/** `\{\emptyset\}` has an element. */
const isSetOfSet = ({ open, items: [item] }: Group): boolean =>
  open === "{" && item?.kind === "group" && item.open === "{";

/** Lists within a list, and a ± within, become elements of the list. */
function flattenList(node: Node): Node {
  if (node.kind !== "group" || (node.open !== "" && node.open !== "{")) return node;
  const items = node.items.flatMap((item) => {
    const inner = expandPlusMinus(item) ?? [item];
    return inner.flatMap((one) => (one.kind === "group" && one.open === "" ? one.items : [one]));
  });
  return group(node.open, node.close, items);
}

/** `x = \pm 2` as x = 2 and x = −2; the signs of one answer go together. */
function expandPlusMinus(node: Node): Node[] | undefined {
  if (node.kind === "group" && (node.open === "" || node.open === "{")) return undefined;
  if (!hasPlusMinus(node)) return undefined;
  return [chooseSign(node, true), chooseSign(node, false)];
}

const hasPlusMinus = (node: Node): boolean =>
  isCall(node, "pm") || isCall(node, "mp") || children(node).some(hasPlusMinus);

function chooseSign(node: Node, plus: boolean): Node {
  const next = withChildren(
    node,
    children(node).map((child) => chooseSign(child, plus)),
  );
  if (!isCall(next, "pm") && !isCall(next, "mp")) return next;
  return (next.op === "pm") === plus ? next.args[0]! : call("neg", next.args[0]!);
}

const hasMatrix = (node: Node): boolean =>
  node.kind === "matrix" || (node.kind === "call" && node.args.some(hasMatrix));

/** A number times a matrix, a negated matrix, a matrix over a number: the factor goes into the entries. */
function distribute(node: Node): Node {
  if (node.kind !== "call" || !hasMatrix(node)) return node;
  const args = node.args.map(distribute);
  const at = args.findIndex((arg) => arg.kind === "matrix");
  if (at < 0 || args.filter((arg) => arg.kind === "matrix").length > 1) return node;
  const matrix = args[at] as Matrix;
  if (matrix.shape !== "matrix" || !["mul", "neg", "div"].includes(node.op) || (node.op === "div" && at === 1))
    return node;
  const entry = (cell: Node): Node => call(node.op, ...args.map((arg, i) => (i === at ? cell : arg)));
  return { ...matrix, rows: matrix.rows.map((row) => row.map(entry)) };
}
