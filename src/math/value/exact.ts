/** Exact rational values of constant expressions, where they stay within `maxBits`. */
import type { Call, Node } from "../ast.js";
import type { Budget } from "../limits.js";
import {
  add,
  bits,
  divide,
  isInteger,
  maxBits,
  multiply,
  negate,
  one,
  order,
  power,
  type Rational,
  rational,
  root,
  zero,
} from "./rational.js";

/** The value of `node`, or undefined when it is not a rational number we can write out. */
export function exactValue(node: Node, budget: Budget): Rational | undefined {
  budget.spend();
  if (node.kind === "num") return node.value;
  if (node.kind !== "call") return undefined;
  const values: Rational[] = [];
  if (!(node.op in operations)) return undefined;
  for (const arg of node.args) {
    const value = exactValue(arg, budget);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return operations[node.op]!(values, budget, node);
}

type Operation = (values: Rational[], budget: Budget, node: Call) => Rational | undefined;

const largest = 1n << BigInt(maxBits);

const bounded = (value: Rational): Rational | undefined => {
  return value.n > largest || value.n < -largest || value.d > largest ? undefined : value;
};

function fold(values: Rational[], budget: Budget, step: (a: Rational, b: Rational) => Rational): Rational | undefined {
  let total: Rational | undefined = values[0];
  for (const value of values.slice(1)) {
    if (!total) return undefined;
    total = bounded(step(total, value));
    if (total) budget.spend(costOf(total));
  }
  return total;
}

/** Steps that arithmetic with so many digits costs: lowest terms are found by division after division. */
const costOf = ({ n, d }: Rational): number => (n < small && n > -small && d < small ? 0 : (bits(n) + bits(d)) / 8);
const small = 1n << 128n;

const floor = (a: Rational): Rational => {
  const quotient = a.n / a.d;
  return rational(a.n < 0n && a.n % a.d !== 0n ? quotient - 1n : quotient);
};

const absolute = (a: Rational): Rational => (a.n < 0n ? negate(a) : a);
const integers = (values: Rational[]): boolean => values.every(isInteger);

function gcd(a: Rational, b: Rational): Rational {
  let [x, y] = [a.n, b.n];
  while (y !== 0n) [x, y] = [y, x % y];
  return rational(x < 0n ? -x : x);
}

const operations: Record<string, Operation> = {
  add: (values, budget) => fold(values, budget, add),
  mul: (values, budget) => fold(values, budget, multiply),
  neg: ([a]) => negate(a!),
  div: ([a, b]) => divide(a!, b!),
  pow: ([a, b]) => exactPower(a!, b!),
  sqrt: ([a]) => root(a!, 2),
  root: ([a, b]) => (isInteger(b!) && b!.n > 0n && b!.n < 1000n ? signedRoot(a!, Number(b!.n)) : undefined),
  abs: ([a]) => absolute(a!),
  floor: ([a]) => floor(a!),
  ceil: ([a]) => negate(floor(negate(a!))),
  mod: ([a, b]) => (b!.n === 0n ? undefined : add(a!, negate(multiply(b!, floor(divide(a!, b!)!))))),
  max: (values, budget) => fold(values, budget, (a, b) => (order(a, b) >= 0 ? a : b)),
  min: (values, budget) => fold(values, budget, (a, b) => (order(a, b) <= 0 ? a : b)),
  gcd: (values, budget) => (integers(values) ? fold(values, budget, gcd) : undefined),
  lcm: (values, budget) =>
    integers(values) ? fold(values, budget, (a, b) => divide(absolute(multiply(a, b)), gcd(a, b)) ?? zero) : undefined,
  fact: ([a], budget) => factorial(a!, budget),
  binom: ([n, k], budget) => binomial(n!, k!, budget),
};

const signedRoot = (a: Rational, degree: number): Rational | undefined => {
  if (a.n >= 0n) return root(a, degree);
  const positive = degree % 2 === 1 ? root(negate(a), degree) : undefined;
  return positive && negate(positive);
};

function exactPower(base: Rational, exponent: Rational): Rational | undefined {
  if (isInteger(exponent)) return base.n === 0n && exponent.n === 0n ? undefined : power(base, exponent.n);
  if (exponent.d > 64n || base.n < 0n) return undefined;
  const rooted = root(base, Number(exponent.d));
  return rooted && power(rooted, exponent.n);
}

function factorial(a: Rational, budget: Budget): Rational | undefined {
  if (!isInteger(a) || a.n < 0n || a.n > 950n) return undefined;
  let product = 1n;
  budget.spend(Number(a.n));
  for (let i = 2n; i <= a.n; i++) product *= i;
  return rational(product);
}

function binomial(n: Rational, k: Rational, budget: Budget): Rational | undefined {
  if (!isInteger(n) || !isInteger(k) || n.n < 0n || n.n > 4000n) return undefined;
  if (k.n < 0n || k.n > n.n) return zero;
  const smaller = k.n * 2n > n.n ? n.n - k.n : k.n;
  let value = one.n;
  budget.spend(Number(smaller));
  for (let i = 1n; i <= smaller; i++) value = (value * (n.n - smaller + i)) / i;
  return rational(value);
}
