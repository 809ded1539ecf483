/**
 * Rational functions evaluated exactly in two prime fields at fixed random points. Two different rational functions of
 * degree d agree at such a point with a chance of at most d / 2^61 per field (Schwartz–Zippel), so equal values mean equal
 * functions. π and e count as variables: they are transcendental.
 */
import type { Node } from "../ast.js";
import type { Budget } from "../limits.js";
import { exactValue } from "./exact.js";
import { hash } from "./hash.js";
import type { Rational } from "./rational.js";

interface Field {
  p: bigint;
  /** A square root of −1: both primes are 1 mod 4. */
  i: bigint;
}

export const fields: readonly Field[] = [
  { p: 2305843009212645209n, i: 2226419128635234340n },
  { p: 2305843009212645197n, i: 528634466784371692n },
];

/** The value in the field, "undefined" for a division by zero, or undefined when it is no rational function. */
export type Residue = bigint | undefined;

function powerMod(base: bigint, exponent: bigint, p: bigint): bigint {
  let result = 1n;
  let square = base;
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * square) % p;
    square = (square * square) % p;
  }
  return result;
}

const inverse = (a: bigint, p: bigint): Residue => (a === 0n ? undefined : powerMod(a, p - 2n, p));

const pointOf = (name: string, field: Field): bigint =>
  (BigInt(hash(name, Number(field.p % 1009n))) << 29n) ^ BigInt(hash(name, 77));

export function modularValue(node: Node, field: Field, budget: Budget): Residue {
  budget.spend();
  const { p } = field;
  if (node.kind === "num") return rationalResidue(node.value, p);
  if (node.kind === "sym")
    return node.name === "i" ? field.i : node.name === "oo" ? undefined : pointOf(node.name, field);
  if (node.kind !== "call") return undefined;
  if (node.op === "pow") return modularPower(node.args[0]!, node.args[1]!, field, budget);
  if (node.op === "fact") return modularFactorial(node.args[0]!, field, budget);
  if (!arithmetic.has(node.op)) return exactResidue(node, field, budget);
  const values: bigint[] = [];
  for (const arg of node.args) {
    const value = modularValue(arg, field, budget);
    if (value === undefined) return undefined;
    values.push(value);
  }
  switch (node.op) {
    case "add":
      return values.reduce((a, b) => (a + b) % p);
    case "mul":
      return values.reduce((a, b) => (a * b) % p);
    case "neg":
      return (p - values[0]!) % p;
    default: {
      const bottom = inverse(values[1]!, p);
      return bottom === undefined ? undefined : (values[0]! * bottom) % p;
    }
  }
}

function rationalResidue(value: Rational, p: bigint): Residue {
  const bottom = value.d === 1n ? 1n : inverse(value.d % p, p);
  return bottom === undefined ? undefined : ((((value.n % p) + p) % p) * bottom) % p;
}

/** Other operations only where they give a rational number. */
function exactResidue(node: Node, field: Field, budget: Budget): Residue {
  const value = exactValue(node, budget);
  return value && rationalResidue(value, field.p);
}

const arithmetic = new Set(["add", "mul", "neg", "div"]);

function modularPower(base: Node, exponent: Node, field: Field, budget: Budget): Residue {
  const power = exactValue(exponent, budget);
  if (power?.d !== 1n || power.n === 0n) return undefined;
  const value = modularValue(base, field, budget);
  if (value === undefined) return undefined;
  const size = power.n < 0n ? -power.n : power.n;
  budget.spend(size.toString(16).length);
  const result = powerMod(value, value === 0n ? 1n : size % (field.p - 1n), field.p);
  return power.n < 0n ? inverse(result, field.p) : result;
}

function modularFactorial(argument: Node, field: Field, budget: Budget): Residue {
  const n = exactValue(argument, budget);
  if (n?.d !== 1n || n.n < 0n || n.n > 20_000n) return undefined;
  budget.spend(Number(n.n) / 4);
  let product = 1n;
  for (let i = 2n; i <= n.n; i++) product = (product * i) % field.p;
  return product;
}
