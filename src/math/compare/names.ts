/** Names: what an answer may be assigned to, on the left of an equation. */
import { isCall, type Node, type Relation, render } from "../ast.js";
import { denials } from "../parse/names.js";

/**
 * `x`, `f(x)`, `f''(x)`, `(x, y)`, `dy/dx`, `\partial f/\partial x`, `\angle ABC`, the segment `AB` and its length `|AB|`,
 * `\Delta p`, `\sin A`, and ratios of these.
 */
export function isName(node: Node): boolean {
  if (node.kind === "sym") return node.name !== "oo";
  if (node.kind === "text") return isNaming(node.text);
  if (node.kind === "group") return node.args.every(isName);
  if (node.kind !== "call") return false;
  switch (node.op) {
    case "apply":
    case "prime":
    case "diff":
      return isNameOrApplied(node.args[0]!);
    case "div":
      return derivedName(node) !== undefined || node.args.every(isPartOfRatio);
    case "ratio":
      return node.args.every(isPartOfRatio);
    case "abs":
      return isSegment(node.args[0]!);
    case "mul":
      return isProductName(node);
    default:
      return /^(?:sin|cos|tan)$/.test(node.op) && isCapital(node.args[0]!);
  }
}

const isNameOrApplied = (node: Node): boolean => node.kind === "sym" || isCall(node, "apply");
const isPartOfRatio = (node: Node): boolean =>
  node.kind !== "group" && node.kind !== "text" && !isCall(node, "ratio") && isName(node);

/** The angle A of a triangle, not an unknown x. */
const isCapital = (node: Node): boolean => node.kind === "sym" && /^[A-Z]$/.test(node.name);

/** `AB`, `\vec a`, `\overline{AB}`: whose bars are its length, not a second solution of opposite sign. */
const isSegment = (node: Node): boolean =>
  node.kind === "sym"
    ? /[({]/.test(node.name)
    : isCall(node, "mul") && factorNames(node).every((name) => /^[A-Z]$/.test(name));

const factors = (node: Node): Node[] => (isCall(node, "mul") ? node.args.flatMap(factors) : [node]);
const factorNames = (node: Node): string[] => factors(node).map((factor) => (factor.kind === "sym" ? factor.name : ""));

function isProductName(node: Node): boolean {
  if (!isCall(node, "mul")) return false;
  const names = factorNames(node);
  // `p(x)`, `y(t)`: read as products, but no answer solves for one.
  if (/^[pqruvwyPQRT] [xtnzs]$/.test(names.join(" "))) return true;
  if (/^(?:Delta|delta) \w+$/.test(names.join(" "))) return true;
  return names.every((name, i) => /^[A-Z]$/.test(name) || (i === 0 && /^(?:angle|triangle|Delta)$/.test(name)));
}

/** Words may name what is asked for, but not deny it or leave a choice: `\text{wrong} = 5`, `\text{1 or 2} = 5`. */
const isNaming = (text: string): boolean =>
  !/\d/.test(text) && !text.split(/[^a-zA-Z']+/).some((word) => denials.has(word.toLowerCase()));

/** What a quotient of differentials derives: `y'` for dy/dx, `f by x` for ∂f/∂x. */
function derivedName(node: Node): string | undefined {
  if (!isCall(node, "div")) return undefined;
  const [top, bottom] = node.args.map(factorNames) as [string[], string[]];
  if (top.length !== 2 || bottom.length !== 2 || top[0] !== bottom[0]) return undefined;
  if (top[0] === "d") return `${top[1]}'`;
  return top[0] === "partial" ? `${top[1]} by ${bottom[1]}` : undefined;
}

/** A sum of plain letters, `a + b`: what a question may ask for, where words count by their meaning. */
export const isSumOfLetters = (node: Node): boolean =>
  isCall(node, "add") && node.args.every((arg) => /^[a-z]$/.test(arg.kind === "sym" ? arg.name : ""));

export interface Named {
  head: string;
  /** The x of f(x). */
  argument?: string;
  value: Node;
}

/** `f(x) = …` and `dy/dx = …` as the name and what is said of it. */
export function named(relation: Relation): Named | undefined {
  if (relation.args.length !== 2 || relation.ops[0] !== "=") return undefined;
  const [left, value] = relation.args as [Node, Node];
  if (left.kind === "sym") return { head: left.name, value };
  if (isCall(left, "apply") && left.args.length === 2) {
    const argument = left.args[1]!;
    return argument.kind === "sym"
      ? { head: render(left.args[0]!), argument: argument.name, value }
      : { head: render(left), value };
  }
  const derived = derivedName(left);
  return derived === undefined ? undefined : { head: derived, value };
}

/** Whether two left sides name one thing: the same name, or the graph's `y` for the function's `f(x)`. */
export function sameName(a: Named, b: Named): boolean {
  if (a.head === b.head) return true;
  const [plain, applied] = a.argument === undefined ? [a, b] : [b, a];
  return plain.argument === undefined && plain.head === "y" && /^[fgh]$/.test(applied.head) && applied.argument === "x";
}
