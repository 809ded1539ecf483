/** Decimals that stand for an exact value rounded to their digits. */
import { isCall, type Node } from "../ast.js";
import { exactValue } from "../value/exact.js";
import { numericValue, Point } from "../value/numeric.js";
import { add, multiply, negate, order, power, type Rational, rational, toNumber } from "../value/rational.js";
import { type Context, different, equal, type Verdict } from "./verdict.js";

export interface Decimal {
  value: Rational;
  /** Digits after the point: the value is rounded to 10^−places. */
  places: number;
}

/** The decimal a node is: `1.25`, `-1.25`, `1.25 · 10^3`. */
export function decimalOf(node: Node): Decimal | undefined {
  if (node.kind === "num") return node.places === undefined ? undefined : { value: node.value, places: node.places };
  if (isCall(node, "neg")) {
    const inner = decimalOf(node.args[0]!);
    return inner && { value: negate(inner.value), places: inner.places };
  }
  if (!isCall(node, "mul") || node.args.length !== 2) return undefined;
  const inner = decimalOf(node.args[0]!);
  const exponent = inner && powerOfTen(node.args[1]!);
  const scale = exponent === undefined ? undefined : power(rational(10n), BigInt(exponent));
  return inner && scale && exponent !== undefined
    ? { value: multiply(inner.value, scale), places: inner.places - exponent }
    : undefined;
}

function powerOfTen(node: Node): number | undefined {
  if (!isCall(node, "pow") || node.args[0]!.kind !== "num" || node.args[0]!.value.n !== 10n) return undefined;
  const exponent = node.args[1]!;
  const value = isCall(exponent, "neg") ? exponent.args[0]! : exponent;
  if (value.kind !== "num" || value.value.d !== 1n || value.value.n > 400n) return undefined;
  return isCall(exponent, "neg") ? -Number(value.value.n) : Number(value.value.n);
}

/** Digits of a decimal from the first that is not zero. */
const significant = ({ value, places }: Decimal): number => {
  const digits = (value.n < 0n ? -value.n : value.n) * 10n ** BigInt(Math.max(places, 0));
  return (digits / value.d).toString().length;
};

/** Decimals with so many digits came out of floating point and are right to about 1e-12 only. */
const isFloat = (decimal: Decimal): boolean =>
  decimal.places > 0 && significant(decimal) >= 13 && significant(decimal) <= 18;

/** Whether `decimal` is `other` rounded to the decimal's digits (see `Options.decimals`). */
export function compareDecimal(decimal: Decimal, other: Node, context: Context): Verdict {
  // 43.30127 is 25√3 to six places: its last digit is a zero not written.
  const places = Math.max(decimal.places, context.options.decimals);
  if (!Number.isFinite(places) || significant(decimal) < context.options.significant)
    return different("decimal digits");
  const exact = exactValue(other, context.budget);
  if (exact) {
    const gap = add(decimal.value, negate(exact));
    const distance = gap.n < 0n ? negate(gap) : gap;
    // Half a unit of the last digit, and more for decimals that went through floating point.
    const magnitude = exact.n < 0n ? negate(exact) : exact;
    const half = rational(1n, 2n * 10n ** BigInt(places));
    const bound = !isFloat(decimal) || exact.d === 1n ? half : add(half, multiply(magnitude, rational(1n, 10n ** 12n)));
    return order(distance, bound) <= 0 ? equal("rounded decimal") : different("decimal digits");
  }
  const value = numericValue(other, new Point(), context.budget);
  if (!value || Math.abs(value.im) > value.err) return different("decimal digits");
  const distance = Math.abs(value.re - toNumber(decimal.value));
  const noise = !isFloat(decimal) ? 0 : Math.abs(value.re) * 1e-12;
  const bound = 0.5 * 10 ** -places + noise + value.err;
  return distance <= bound ? equal("rounded decimal") : different("decimal digits");
}
