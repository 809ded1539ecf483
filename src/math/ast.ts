import { type Rational, show } from "./value/rational.js";

/** A number literal. `places`: digits after the point when it was written as a decimal. */
export interface Num {
  kind: "num";
  value: Rational;
  places?: number;
  /** The base of `12_{8}`: `value` is then already the number meant, `digits` what was written. */
  base?: number;
  digits?: string;
}

/** A variable or a named constant, with its subscript and accents: `x`, `x_1`, `dot(x)_0`, `\pi`. */
export interface Sym {
  kind: "sym";
  name: string;
}

/**
 * An operation. `add`, `mul` (any number of arguments), `neg`, `div`, `pow`, `sqrt`, `root`, `log` (base, argument),
 * `abs`, `fact`, `binom`, `pm`, `deg`, the functions by name, `apply` (an unknown function), `sum` and its kind.
 */
export interface Call {
  kind: "call";
  op: string;
  args: Node[];
}

export type Bracket = "(" | ")" | "[" | "]" | "{" | "}" | "";

/** Several answers: a bare list (brackets ""), a set ("{"), a tuple or interval ("(" and "["). */
export interface Group {
  kind: "group";
  open: Bracket;
  close: Bracket;
  args: Node[];
}

export type RelationOp = "=" | "<" | ">" | "<=" | ">=" | "!=" | "~" | "in" | "notin" | "equiv" | "to";

/** A chain of relations: `args` has one element more than `ops`. */
export interface Relation {
  kind: "rel";
  args: Node[];
  ops: RelationOp[];
}

export interface Matrix {
  kind: "matrix";
  rows: Node[][];
  /** Brackets around it: a determinant is "vmatrix", everything else "matrix". */
  shape: "matrix" | "vmatrix" | "cases";
}

/** Words: an answer that is not a formula. */
export interface Text {
  kind: "text";
  text: string;
}

/** `{x | conditions}`. */
export interface Builder {
  kind: "builder";
  variable: Node;
  conditions: Node[];
}

/** A value with the unit written behind (or the currency before) it. */
export interface Quantity {
  kind: "quantity";
  value: Node;
  unit: string;
}

export type Node = Num | Sym | Call | Group | Relation | Matrix | Text | Builder | Quantity;

export const num = (value: Rational, places?: number): Num =>
  places === undefined ? { kind: "num", value } : { kind: "num", value, places };
export const sym = (name: string): Sym => ({ kind: "sym", name });
export const call = (op: string, ...args: Node[]): Call => ({ kind: "call", op, args });
export const group = (open: Bracket, close: Bracket, items: Node[]): Group => ({
  kind: "group",
  open,
  close,
  args: items,
});
export const isCall = <Op extends string>(node: Node, op: Op): node is Call & { op: Op } =>
  node.kind === "call" && node.op === op;

/** Direct children of a node. */
export function children(node: Node): Node[] {
  if ("args" in node) return node.args;
  switch (node.kind) {
    case "matrix":
      return node.rows.flat();
    case "builder":
      return [node.variable, ...node.conditions];
    case "quantity":
      return [node.value];
    default:
      return [];
  }
}

/** How many nodes it is made of. */
export const nodeCount = (node: Node): number => children(node).reduce((count, child) => count + nodeCount(child), 1);

/** The same node with other children. */
export function withChildren(node: Node, next: Node[]): Node {
  if ("args" in node) return { ...node, args: next };
  switch (node.kind) {
    case "matrix": {
      let at = 0;
      return { ...node, rows: node.rows.map((row) => row.map(() => next[at++]!)) };
    }
    case "builder":
      return { ...node, variable: next[0]!, conditions: next.slice(1) };
    case "quantity":
      return { ...node, value: next[0]! };
    default:
      return node;
  }
}

/** The tree with every node changed, the innermost first. */
export function map(node: Node, change: (node: Node) => Node): Node {
  const before = children(node);
  return change(
    before.length === 0
      ? node
      : withChildren(
          node,
          before.map((child) => map(child, change)),
        ),
  );
}

/** Whether an operation, or a node that passes a test, occurs anywhere in the tree. */
export const contains = (node: Node, what: string | ((node: Node) => boolean)): boolean =>
  (typeof what === "string" ? isCall(node, what) : what(node)) || children(node).some((child) => contains(child, what));

/** The tree with a value in the place of a name. */
export const substitute = (node: Node, name: string, value: Node): Node =>
  map(node, (inner) => (inner.kind === "sym" && inner.name === name ? value : inner));

/** Whether two nodes are the same in every part (a decimal's spelling aside). */
export function sameStructure(a: Node, b: Node): boolean {
  if (a === b) return true;
  switch (a.kind) {
    case "num":
      return b.kind === "num" && a.value.n === b.value.n && a.value.d === b.value.d && a.base === b.base;
    case "call":
      return b.kind === "call" && a.op === b.op && sameNodes(a.args, b.args);
    case "group":
      return b.kind === "group" && a.open === b.open && a.close === b.close && sameNodes(a.args, b.args);
    default:
      // Names are short and the others rare: by their rendering.
      return a.kind === b.kind && render(a) === render(b);
  }
}

const sameNodes = (a: Node[], b: Node[]): boolean =>
  a.length === b.length && a.every((node, i) => sameStructure(node, b[i]!));

/** How a node was read, as text: one spelling for one structure; also the key of structural equality. */
export function render(node: Node): string {
  switch (node.kind) {
    case "num":
      return node.base === undefined ? show(node.value) : `${node.digits}_${node.base}`;
    case "sym":
      return node.name;
    case "call":
      return `${node.op}(${node.args.map(render).join(", ")})`;
    case "group":
      return `${node.open || "list["}${node.args.map(render).join(", ")}${node.close || "]"}`;
    case "rel":
      return node.args.map((part, i) => (i === 0 ? render(part) : `${node.ops[i - 1]} ${render(part)}`)).join(" ");
    case "matrix":
      return `${node.shape}[${node.rows.map((row) => row.map(render).join(", ")).join("; ")}]`;
    case "text":
      return JSON.stringify(node.text);
    case "builder":
      return `{${render(node.variable)} | ${node.conditions.map(render).join(", ")}}`;
    case "quantity":
      return `${render(node.value)} <${node.unit}>`;
  }
}
