/** Rewrites that do not change what an answer says: ± as two answers, one-element sets, scalars into matrices. */
import { call, contains, type Group, group, isCall, map, type Node } from "../ast.js";
import { matrixOf } from "./matrices.js";

export function simplify(node: Node): Node {
  const expanded = expandPlusMinus(node);
  if (expanded) return simplify(group("", "", expanded));
  const flat = flattenList(node);
  if (flat.kind === "group" && flat.args.length === 1 && !isSetOfSet(flat)) return simplify(flat.args[0]!);
  return workOut(flat);
}

/** `\{\emptyset\}` has an element. */
const isSetOfSet = ({ open, args: [item] }: Group): boolean =>
  open === "{" && item?.kind === "group" && item.open === "{";

/** Lists within a list, and a ± within, become elements of the list. */
function flattenList(node: Node): Node {
  if (node.kind !== "group" || (node.open !== "" && node.open !== "{")) return node;
  const items = node.args.flatMap((item) => {
    const inner = expandPlusMinus(item) ?? [item];
    return inner.flatMap((one) => (one.kind === "group" && one.open === "" ? one.args : [one]));
  });
  return group(node.open, node.close, items);
}

/** `x = \pm 2` as x = 2 and x = −2; the signs of one answer go together. */
function expandPlusMinus(node: Node): Node[] | undefined {
  if (node.kind === "group" && (node.open === "" || node.open === "{")) return undefined;
  if (!hasPlusMinus(node)) return undefined;
  return [chooseSign(node, true), chooseSign(node, false)];
}

const hasPlusMinus = (node: Node): boolean => contains(node, (inner) => isCall(inner, "pm") || isCall(inner, "mp"));

const chooseSign = (node: Node, plus: boolean): Node =>
  map(node, (inner) => {
    if (!isCall(inner, "pm") && !isCall(inner, "mp")) return inner;
    return (inner.op === "pm") === plus ? inner.args[0]! : call("neg", inner.args[0]!);
  });

/** Innermost first; a determinant in bars is worked out too. */
function workOut(node: Node): Node {
  if (node.kind === "matrix" && node.shape === "vmatrix")
    return matrixOf("det", [{ ...node, shape: "matrix" }]) ?? node;
  if (node.kind !== "call" || !holdsTable(node)) return node;
  const args = node.args.map(workOut);
  return matrixOf(node.op, args) ?? call(node.op, ...args);
}

const holdsTable = (node: Node): boolean =>
  node.kind === "matrix" || node.kind === "group" || (node.kind === "call" && node.args.some(holdsTable));
