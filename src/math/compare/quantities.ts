/** Values with units. */
import { call, isCall, type Node, num, type Quantity } from "../ast.js";
import { findUnit } from "../parse/units.js";
import { variables } from "../value/numeric.js";
import { fromDecimal } from "../value/rational.js";

export interface Pair {
  a: Node;
  b: Node;
}

/** The two values without units, scaled to one unit; undefined when the units exclude equality. */
export function matchUnits(a: Node, b: Node, agree: boolean): Pair | undefined {
  const [x, y] = [asQuantity(a, b), asQuantity(b, a)];
  if (!agree || x.unit === "" || y.unit === "") return { a: x.value, b: y.value };
  const [u, v] = [plainUnit(x.unit), plainUnit(y.unit)];
  if (u === v) return { a: x.value, b: y.value };
  const [known, other] = [findUnit(u), findUnit(v)];
  if (!known || !other || known.dimension === "other" || other.dimension === "other") return { a: x.value, b: y.value };
  if (known.dimension !== other.dimension) return undefined;
  return { a: scale(x.value, known.factor / other.factor), b: y.value };
}

const scale = (node: Node, factor: number): Node => {
  const [whole, fraction = ""] = factor.toFixed(12).replace(/0+$/, "").split(".");
  return factor === 1 ? node : call("mul", num(fromDecimal(whole!, fraction)), node);
};

/** One unit word, without spaces and full stops; longer texts stay as they are and match anything. */
const plainUnit = (unit: string): string => unit.replace(/^the\s+/, "").replace(/[.\s]+$/, "");

/** Letters that are units behind a number when the other side is a pure number: `6m` against 6. */
const unitLetters = new Set(["m", "s", "g", "h", "L", "N", "J", "W", "V", "K"]);

function asQuantity(node: Node, other: Node): Quantity {
  if (node.kind === "quantity") return node;
  const bare: Quantity = { kind: "quantity", value: node, unit: "" };
  if (!isCall(node, "mul") || variables(other).size > 0) return bare;
  const [value, last] = [node.args[0]!, node.args[1]!];
  if (last.kind !== "sym" || !unitLetters.has(last.name) || variables(value).size > 0) return bare;
  return { kind: "quantity", value, unit: "" };
}
