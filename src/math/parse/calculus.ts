/**
 * Sums, products, integrals, limits and derivatives.
 *   big        := ("\sum" | "\prod" | "\lim") scripts product
 *   integral   := "\int" scripts sum differential      the differential may also stand in a factor: \frac{dx}{x}
 *   derivative := "\frac{d}{dx}" product
 */
import { call, children, isCall, type Node, num, substitute, sym } from "../ast.js";
import { one } from "../value/rational.js";
import { parseClause } from "./answer.js";
import type { Cursor } from "./cursor.js";
import { parseArgument, parseProduct, parseSum, startsFactor } from "./expression.js";
import type { Token } from "./lexer.js";
import { greek } from "./names.js";
import { parseName } from "./primary.js";

const integrals = new Set(["int", "iint", "oint"]);
const nothing = sym("");

/** How a differential is written into the tokens: `d x`, with a space no name has. */
const differential = (name: string): string => `d ${name}`;
export const isDifferential = (token: Token | undefined): boolean =>
  token?.kind === "command" && token.text.startsWith("d ");

/** Behind an integral sign `d` and a letter are one token, so that sin x dx is not the sine of x·d·x. */
export function joinDifferentials(tokens: Token[]): Token[] {
  const first = tokens.findIndex((token) => token.kind === "command" && integrals.has(token.text));
  if (first < 0) return tokens;
  const joined = tokens.slice(0, first);
  for (let i = first; i < tokens.length; i++) {
    const [token, next] = [tokens[i]!, tokens[i + 1]];
    const scripted = i > 0 && tokens[i - 1]!.kind === "mark" && /[\^_]/.test(tokens[i - 1]!.text);
    if (isD(token) && isLetter(next) && !scripted) {
      joined.push({ kind: "command", text: differential(next.text.trim()), spaced: token.spaced });
      i++;
    } else joined.push(token);
  }
  return joined;
}

const isD = (token: Token): boolean =>
  ((token.kind === "word" || token.kind === "text") && token.text.trim() === "d") ||
  (token.kind === "command" && token.text === "differentialD");
const isLetter = (token: Token | undefined): token is Token =>
  token !== undefined &&
  (((token.kind === "word" || token.kind === "text") && /^\s*[a-zA-Z]\s*$/.test(token.text)) ||
    (token.kind === "command" && greek.has(token.text)));

export function parseBigOperator(cursor: Cursor, name: string): Node {
  let [lower, upper]: Node[] = [nothing, nothing];
  for (let i = 0; i < 2; i++) {
    if (cursor.take("_")) lower = scripted(cursor);
    else if (cursor.take("^")) upper = parseArgument(cursor);
  }
  if (integrals.has(name)) return parseIntegral(cursor, name, lower!, upper!);
  return call(name, parseProduct(cursor), lower!, upper!);
}

function scripted(cursor: Cursor): Node {
  if (!cursor.take("{")) return parseArgument(cursor);
  const node = cursor.bracketed(() => parseClause(cursor));
  cursor.expect("}");
  return node;
}

/** `\int x + a\,dx`: as `int(body, variable, lower, upper)`. */
function parseIntegral(cursor: Cursor, name: string, lower: Node, upper: Node): Node {
  const empty = isDifferential(cursor.peek());
  const body = empty ? num(one) : cursor.integrand(() => parseSum(cursor));
  const behind = isDifferential(cursor.peek()) ? findDifferential(parseName(cursor, cursor.next().text)) : undefined;
  if (behind) return call(name, body, sym(behind.slice(2)), lower, upper);
  const inside = findDifferential(body);
  if (!inside) return call(name, body, nothing, lower, upper);
  return call(name, substitute(body, inside, num(one)), sym(inside.slice(2)), lower, upper);
}

const findDifferential = (node: Node): string | undefined => {
  if (node.kind === "sym") return node.name.startsWith("d ") ? node.name : undefined;
  for (const child of children(node)) {
    const found = findDifferential(child);
    if (found) return found;
  }
  return undefined;
};

/** Behind `\frac{d}{dx}` or `\frac{\partial^2}{\partial x^2}` the product it is applied to. */
export function parseDerivative(cursor: Cursor, top: Node, bottom: Node): Node | undefined {
  const ofFunction = isCall(top, "mul") && isD1(top.args[0]!) && isCall(top.args[1]!, "apply");
  const by = ofFunction ? derivedBy(bottom, 1) : undefined;
  if (ofFunction && by) return call("diff", top.args[1]!, sym(by));
  const order = differentialOrder(top);
  const variable = order && derivedBy(bottom, order);
  if (!variable || !startsFactor(cursor)) return undefined;
  return call("diff", parseProduct(cursor), sym(variable), ...Array<Node>(order - 1).fill(sym(variable)));
}

const isD1 = (node: Node): boolean => node.kind === "sym" && (node.name === "d" || node.name === "partial");

/** 1 for d, n for d^n. */
function differentialOrder(node: Node): number | undefined {
  if (isD1(node)) return 1;
  if (!isCall(node, "pow") || !isD1(node.args[0]!) || node.args[1]!.kind !== "num") return undefined;
  const order = Number(node.args[1]!.value.n);
  return order <= 4 ? order : undefined;
}

/** x for dx, and for dx^n behind d^n. */
function derivedBy(node: Node, order: number): string | undefined {
  if (node.kind === "sym" && node.name.startsWith("d ")) return node.name.slice(2);
  if (!isCall(node, "mul") || node.args.length !== 2 || !isD1(node.args[0]!)) return undefined;
  const [base, power] = isCall(node.args[1]!, "pow") ? node.args[1]!.args : [node.args[1]!, num(one)];
  const fits = power!.kind === "num" && Number(power!.value.n) === order;
  return fits && base!.kind === "sym" ? base!.name : undefined;
}
