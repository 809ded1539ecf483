/** Antiderivatives, by what they are the derivative of. */
import { type Call, call, isCall, type Node } from "../ast.js";
import { variables } from "../value/numeric.js";
import { compareExpressions } from "./expressions.js";
import { type Context, different, type Verdict } from "./verdict.js";

const isIndefinite = (node: Node): node is Call =>
  isCall(node, "int") && node.args[2]!.kind === "sym" && node.args[2]!.name === "" && node.args[1]!.kind === "sym";

/** `\int x\,dx` against another integral, or against `\frac{x^2}{2} + C`, which must name its free constant. */
export function comparePrimitives(a: Node, b: Node, context: Context): Verdict | undefined {
  if (!isIndefinite(a) && !isIndefinite(b)) return undefined;
  const [integral, other] = isIndefinite(a) ? [a, b] : [b as Call, a];
  const [body, variable] = integral.args as [Node, Node & { kind: "sym" }];
  if (isIndefinite(other)) {
    const [otherBody, otherVariable] = other.args as [Node, Node & { kind: "sym" }];
    return otherVariable.name === variable.name ? compareExpressions(body, otherBody, context) : different("integral");
  }
  if (!hasFreeConstant(other, variables(body))) return different("integral");
  return compareExpressions(body, call("diff", other, variable), context);
}

/** Whether a sum has a name as a term of its own that stands nowhere else. */
function hasFreeConstant(node: Node, taken: ReadonlySet<string>): boolean {
  const terms = isCall(node, "add") ? node.args : [];
  return terms.some(
    (term, i) =>
      term.kind === "sym" &&
      !taken.has(term.name) &&
      variables(term).size > 0 &&
      terms.every((other, j) => i === j || !variables(other).has(term.name)),
  );
}
