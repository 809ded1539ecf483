/** Values with units. */
import { call, isCall, type Node, num, type Quantity, sym } from "../ast.js";
import { measure } from "../parse/units.js";
import { variables } from "../value/numeric.js";
import { divide, one, type Rational, rational, same } from "../value/rational.js";

export interface Pair {
  a: Node;
  b: Node;
}

/** The two values without units, scaled to one unit; undefined when the units exclude equality. */
export function matchUnits(a: Node, b: Node, agree: boolean): Pair | undefined {
  const [p, q] = [inDegrees(a), inDegrees(b)];
  if (agree && p && q) return { a: p, b: q };
  const [x, y] = [asQuantity(a, b), asQuantity(b, a)];
  if (!agree || x.unit === "" || y.unit === "") return { a: x.value, b: y.value };
  if (x.unit === y.unit) return { a: x.value, b: y.value };
  const [u, v] = [measure(x.unit), measure(y.unit)];
  // Units we do not know are taken to be the same thing in other words.
  if (!u || !v) return { a: x.value, b: y.value };
  return u.dimensions === v.dimensions ? { a: scale(x.value, divide(u.factor, v.factor)), b: y.value } : undefined;
}

/** The value of an angle in degrees; undefined without a sign or a unit that says so. */
function inDegrees(node: Node): Node | undefined {
  if (isCall(node, "deg")) return node.args[0]!;
  if (node.kind !== "quantity") return undefined;
  if (/^deg(?:rees?)?$/i.test(node.unit)) return node.value;
  const inRadians = /^rad(?:ians?)?$/i.test(node.unit);
  return inRadians ? call("div", call("mul", node.value, num(rational(180n))), sym("pi")) : undefined;
}

const scale = (node: Node, factor: Rational | undefined): Node =>
  !factor || same(factor, one) ? node : call("mul", num(factor), node);

/** Letters that are units behind a number when the other side is a pure number: `6m` against 6. */
const unitLetters = new Set(["m", "s", "g", "h", "L", "N", "J", "W", "V"]);

function asQuantity(node: Node, other: Node): Quantity {
  if (node.kind === "quantity") return node;
  const bare: Quantity = { kind: "quantity", value: node, unit: "" };
  if (!isCall(node, "mul") || variables(other).size > 0) return bare;
  const [value, last] = [node.args[0]!, node.args[1]!];
  if (last.kind !== "sym" || !unitLetters.has(last.name) || variables(value).size > 0) return bare;
  return { kind: "quantity", value, unit: "" };
}
