/** Functions with their sub- and superscripts. */
import { call, type Node, num, sym } from "../ast.js";
import { rational } from "../value/rational.js";
import { parseClauses } from "./answer.js";
import { type Cursor, NotFormula } from "./cursor.js";
import { parseArgument, parseJuxtaposed } from "./expression.js";
import { functions } from "./names.js";

/** `\sin x`, `\sin^2 x`, `\sin^{-1} x`, `\log_2 8`, `\max(a, b)`. */
export function parseFunction(cursor: Cursor, name: string): Node {
  let base: Node | undefined;
  let exponent: Node | undefined;
  for (let i = 0; i < 2; i++) {
    if (cursor.take("_")) base = parseArgument(cursor);
    else if (cursor.take("^")) exponent = parseArgument(cursor);
  }
  const args = functionArguments(cursor);
  const inverse = `arc${name}`;
  if (exponent && isMinusOne(exponent) && functions.has(inverse)) return call(inverse, ...args);
  const value = build(name, base, args);
  return exponent ? call("pow", value, exponent) : value;
}

const isMinusOne = (node: Node): boolean =>
  node.kind === "call" && node.op === "neg" && node.args[0]!.kind === "num" && node.args[0]!.value.n === 1n;

function build(name: string, base: Node | undefined, args: Node[]): Node {
  const first = args[0]!;
  if (name === "exp") return call("pow", sym("e"), first);
  if (name === "cis") return call("pow", sym("e"), call("mul", sym("i"), first));
  if (name === "lg") return call("log", num(rational(10n)), first);
  if (name === "log" && base) return call("log", base, first);
  if (name === "log") return call("log?", first);
  return base ? call(name, ...args, base) : call(name, ...args);
}

function functionArguments(cursor: Cursor): Node[] {
  if (cursor.isMark("(")) {
    cursor.next();
    const args = cursor.bracketed(() => parseClauses(cursor));
    cursor.expect(")");
    if (args.length === 0) throw new NotFormula();
    return args;
  }
  if (cursor.isMark("{")) return [parseArgument(cursor)];
  return [parseJuxtaposed(cursor)];
}
