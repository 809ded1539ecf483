/** Matrix expressions worked out: sums, products, small powers, inverses, transposes, determinants. */
import { call, type Group, type Matrix, map, type Node, num } from "../ast.js";
import { one, zero } from "../value/rational.js";

/** Larger ones stay as they are written: their entries would grow beyond comparing. */
const largest = 4;
const highestPower = 4;

type Rows = Node[][];

const matrix = (rows: Rows): Matrix => ({ kind: "matrix", rows, shape: "matrix" });
const rowsOf = (node: Node | undefined): Rows | undefined =>
  node?.kind === "matrix" && node.shape === "matrix" ? node.rows : undefined;
const zip = (a: Rows, b: Rows, entry: (x: Node, y: Node) => Node): Matrix =>
  matrix(a.map((row, i) => row.map((x, j) => entry(x, b[i]![j]!))));
const fits = (a: Rows, b: Rows): boolean => a.length === b.length && a[0]!.length === b[0]!.length;
const transposed = (rows: Rows): Rows => rows[0]!.map((_, j) => rows.map((row) => row[j]!));

function product(a: Rows, b: Rows): Rows | undefined {
  if (a[0]!.length !== b.length || Math.max(a.length, b.length, b[0]!.length) > largest) return undefined;
  return a.map((row) => transposed(b).map((column) => call("add", ...row.map((x, k) => call("mul", x, column[k]!)))));
}

const minor = (rows: Rows, i: number, j: number): Rows =>
  rows.filter((_, r) => r !== i).map((row) => row.filter((_, c) => c !== j));
const signed = (node: Node, i: number): Node => (i % 2 === 0 ? node : call("neg", node));

function determinant(rows: Rows): Node | undefined {
  if (rows.length > largest || rows.some((row) => row.length !== rows.length)) return undefined;
  if (rows.length === 1) return rows[0]![0]!;
  return call("add", ...rows[0]!.map((x, j) => signed(call("mul", x, determinant(minor(rows, 0, j))!), j)));
}

function inverse(rows: Rows): Rows | undefined {
  const det = rows.length > 1 ? determinant(rows) : undefined;
  return (
    det &&
    transposed(
      rows.map((row, i) => row.map((_, j) => call("div", signed(determinant(minor(rows, i, j))!, i + j), det))),
    )
  );
}

function power(rows: Rows, exponent: Node): Rows | undefined {
  if (exponent.kind === "sym" && /^(?:T|top|t)$/.test(exponent.name)) return transposed(rows);
  if (exponent.kind === "call" && exponent.op === "neg") {
    const inverted = inverse(rows);
    return inverted && power(inverted, exponent.args[0]!);
  }
  const n = exponent.kind === "num" && exponent.value.d === 1n ? Number(exponent.value.n) : 0;
  if (n < 1 || n > highestPower) return undefined;
  let result: Rows | undefined = rows;
  for (let i = 1; i < n; i++) result = result && product(result, rows);
  return result;
}

/** `[1, 2]^T`: the tuple that is transposed is a row. */
const asRow = (node: Node): Node =>
  node.kind === "group" && node.open !== "{" && node.open !== "" ? matrix([node.args]) : node;

/** A call on matrices as one matrix, or undefined. */
export function matrixOf(op: string, args: Node[]): Node | undefined {
  const [first, second] = args as [Node, Node];
  if (op === "pow") {
    const base = rowsOf(second.kind === "sym" ? asRow(first) : first);
    const result = base && power(base, second);
    return result && matrix(result);
  }
  if (op === "det" || op === "abs") {
    const rows = rowsOf(first);
    return rows && determinant(rows);
  }
  const all = args.map(rowsOf);
  if (op === "add") {
    if (all.some((rows) => !rows || !fits(rows, all[0]!))) return undefined;
    return args.reduce((a, b) => zip(rowsOf(a)!, rowsOf(b)!, (x, y) => call("add", x, y)));
  }
  if (op === "mul" && all.every((rows) => rows)) {
    const result = all.reduce((a, b) => a && product(a, b!));
    return result && matrix(result);
  }
  const at = all.findIndex((rows) => rows);
  const lone = at >= 0 && all.filter((rows) => rows).length === 1 && ["mul", "neg", "div"].includes(op);
  if (!lone || (op === "div" && at === 1)) return undefined;
  return matrix(all[at]!.map((row) => row.map((cell) => call(op, ...args.map((arg, i) => (i === at ? cell : arg))))));
}

/** Whether it is an identity matrix, which `I` names. */
export const isIdentity = (node: Matrix): boolean =>
  node.rows.every((row, i) =>
    row.every(
      (cell, j) => row.length === node.rows.length && cell.kind === "num" && cell.value.n === (i === j ? 1n : 0n),
    ),
  );

/** The rows of `[[1, 2], [3, 4]]`, of a column or a row given as a tuple. */
export function asMatrix(node: Node, like: Matrix, entries: boolean): Node {
  if (node.kind === "sym" && /^I(?:_\w)?$/.test(node.name) && isIdentity(like)) return like;
  if (!entries || node.kind !== "group" || node.open === "{" || node.open === "") return node;
  if (node.args.every((item) => item.kind === "group" && item.open === node.open))
    return matrix(node.args.map((item) => (item as Group).args));
  return like.rows.length === 1 ? matrix([node.args]) : matrix(node.args.map((item) => [item]));
}

const unit = /^(?:(?:wide)?hat|vec)\((i|j|k)(?:math)?\)$|^([ijk])$/;
const letter = (name: string): string | undefined => {
  const match = unit.exec(name);
  return match?.[1] ?? match?.[2];
};

/** `2\hat{i} - \hat{k}`: put in for the three letters, what stands before each; undefined when neither j nor k is there. */
export function components(node: Node, count: number): Node[] | undefined {
  const seen = new Set<string>();
  const at = (which: string): Node =>
    map(node, (inner) => {
      const name = inner.kind === "sym" ? letter(inner.name) : undefined;
      if (name === undefined) return inner;
      seen.add(name);
      return num(name === which ? one : zero);
    });
  const found = ["i", "j", "k"].slice(0, count).map(at);
  return (seen.has("j") || seen.has("k")) && (count === 3 || !seen.has("k")) ? found : undefined;
}
