/**
 * `1 + 2 + \cdots + n` as the sum it stands for: the first two terms and the last say how the numbers in them run on, each
 * by steps of its own (`\frac{1}{1\cdot2} + \frac{1}{2\cdot3} + \cdots + \frac{1}{n(n+1)}`); further terms must fit.
 */
import { call, children, isCall, type Node, num, sameStructure, sym, withChildren } from "../ast.js";
import { add, isInteger, negate, rational, zero } from "../value/rational.js";

type Same = (a: Node, b: Node) => boolean;

const index = sym("#k");
const isDots = (node: Node): boolean => node.kind === "sym" && node.name === "ldots";

/** Every run with dots in `node` as a sum or product; undefined when there is none. */
export function withoutEllipsis(node: Node, same: Same): Node | undefined {
  if (node.kind !== "call") return undefined;
  if (isCall(node, "add") || isCall(node, "mul")) {
    const terms = node.op === "add" ? node.args : factors(node);
    const at = terms.findIndex(isDots);
    if (at >= 2 && at === terms.length - 2) return runOf(node.op, terms.slice(0, at), terms.at(-1)!, same);
  }
  const args = node.args.map((arg) => withoutEllipsis(arg, same) ?? arg);
  return args.some((arg, i) => arg !== node.args[i]) ? call(node.op, ...args) : undefined;
}

const factors = (node: Node): Node[] => (isCall(node, "mul") ? node.args.flatMap(factors) : [node]);

function runOf(op: string, terms: Node[], last: Node, same: Same): Node | undefined {
  const lengths: Node[] = [];
  const [first, second] = [asPower(terms[0]!, last), asPower(terms[1]!, last)];
  const body = generalize(first, second, last, lengths);
  const length = lengths[0];
  if (!body || !length || !lengths.every((other) => same(other, length))) return undefined;
  const at = (k: bigint): Node => put(body, num(rational(k)));
  if (!terms.every((term, k) => same(at(BigInt(k)), term))) return undefined;
  const from: Node = { kind: "rel", parts: [index, num(zero)], ops: ["="] };
  return call(op === "add" ? "sum" : "prod", body, from, length);
}

/** 1 and x as x^0 and x^1 where the run ends in x^n. */
function asPower(term: Node, last: Node): Node {
  if (!isCall(last, "pow") || isCall(term, "pow")) return term;
  const base = last.args[0]!;
  if (sameStructure(term, base)) return call("pow", base, num(rational(1n)));
  const isOne = term.kind === "num" && term.value.n === 1n && term.value.d === 1n;
  return isOne && (base.kind !== "num" || last.args[1]!.kind !== "num") ? call("pow", base, num(zero)) : term;
}

/** The term of index k, from those of 0 and 1 and the last; `lengths` gets the last index as each number gives it. */
function generalize(first: Node, second: Node, last: Node, lengths: Node[]): Node | undefined {
  if (first.kind === "num" && second.kind === "num" && isInteger(first.value) && isInteger(second.value)) {
    const step = add(second.value, negate(first.value));
    if (step.n === 0n) return sameStructure(first, last) ? first : undefined;
    lengths.push(call("div", call("add", last, num(negate(first.value))), num(step)));
    return call("add", first, call("mul", num(step), index));
  }
  if (first.kind === "sym") return sameStructure(first, second) && sameStructure(first, last) ? first : undefined;
  if (first.kind !== "call" || second.kind !== "call" || last.kind !== "call") return undefined;
  if (first.op !== second.op || first.op !== last.op) return undefined;
  if (first.args.length !== second.args.length || first.args.length !== last.args.length) return undefined;
  const args = first.args.map((arg, i) => generalize(arg, second.args[i]!, last.args[i]!, lengths));
  return args.every((arg) => arg !== undefined) ? call(first.op, ...(args as Node[])) : undefined;
}

const put = (node: Node, k: Node): Node =>
  node === index
    ? k
    : withChildren(
        node,
        children(node).map((child) => put(child, k)),
      );
