/** Constant expressions in high precision. */
import type { Node } from "../ast.js";
import type { Budget } from "../limits.js";
import { exactValue } from "./exact.js";
import {
  arctan,
  exp,
  fromRational,
  ln,
  negative,
  over,
  pi,
  plus,
  type Real,
  scale,
  sinCos,
  size,
  sqrt,
  times,
  whole,
} from "./precise.js";

type Maybe = Real | undefined;

const half = (a: Maybe): Maybe => over(a, whole(2n));
const inverse = (a: Maybe): Maybe => over(whole(1n), a);
const sin = (a: Maybe): Maybe => sinCos(a).sin;
const cos = (a: Maybe): Maybe => sinCos(a).cos;
const sinh = (a: Maybe): Maybe => half(plus(exp(a), negative(exp(negative(a)))));
const cosh = (a: Maybe): Maybe => half(plus(exp(a), exp(negative(a))));
const absolute = (a: Maybe): Maybe => (a && a.f < 0n ? negative(a) : a);
const arcsin = (a: Maybe): Maybe => arctan(over(a, sqrt(plus(whole(1n), negative(times(a, a))))));

/** a^b for positive a; for negative a only odd roots, as real roots. */
function power(a: Maybe, b: Maybe): Maybe {
  return exp(times(b, ln(a)));
}

function root(a: Maybe, degree: Maybe): Maybe {
  const exponent = inverse(degree);
  if (!a || a.f >= 0n) return power(a, exponent);
  const isOdd = degree && degree.f % (2n << scale) === 1n << scale;
  return isOdd ? negative(power(negative(a), exponent)) : undefined;
}

const operations: Record<string, (...args: Maybe[]) => Maybe> = {
  add: (...args) => args.reduce(plus),
  mul: (...args) => args.reduce(times),
  neg: negative,
  div: over,
  sqrt,
  root,
  pow: power,
  abs: absolute,
  deg: (a) => over(times(a, pi()), whole(180n)),
  ln,
  log: (base, a) => over(ln(a), ln(base)),
  sin,
  cos,
  tan: (a) => over(sin(a), cos(a)),
  cot: (a) => over(cos(a), sin(a)),
  sec: (a) => inverse(cos(a)),
  csc: (a) => inverse(sin(a)),
  sinh,
  cosh,
  tanh: (a) => over(sinh(a), cosh(a)),
  arctan,
  arcsin,
  arccos: (a) => plus(half(pi()), negative(arcsin(a))),
};

/** The real value of a constant expression, or undefined. */
export function preciseValue(node: Node, budget: Budget): Maybe {
  // A call here costs about as much as twenty in double precision.
  budget.spend(20);
  const exact = exactValue(node, budget);
  if (exact) return fromRational(exact.n, exact.d);
  if (node.kind === "sym") return node.name === "pi" ? pi() : node.name === "e" ? exp(whole(1n)) : undefined;
  if (node.kind !== "call") return undefined;
  const integer = node.op === "pow" ? exactValue(node.args[1]!, budget) : undefined;
  if (integer?.d === 1n) return integerPower(preciseValue(node.args[0]!, budget), integer.n);
  const args: Maybe[] = [];
  for (const arg of node.args) {
    const value = preciseValue(arg, budget);
    if (!value) return undefined;
    args.push(value);
  }
  return operations[node.op]?.(...args);
}

function integerPower(base: Maybe, exponent: bigint): Maybe {
  if (exponent < 0n) return inverse(integerPower(base, -exponent));
  if (exponent > 100_000n) return undefined;
  let result = whole(1n);
  let square = base;
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = times(result, square);
    if (e > 1n) square = times(square, square);
  }
  return result;
}

/** Bits two values must share to be taken as equal. */
const shared = 150n;

/** Whether two constants are equal; undefined when this precision does not tell either. */
export function sameConstant(a: Node, b: Node, budget: Budget): boolean | undefined {
  const x = preciseValue(a, budget);
  const y = x && preciseValue(b, budget);
  const gap = y && plus(x, negative(y));
  if (!gap) return undefined;
  if (size(gap.f) > gap.err) return false;
  return gap.err < (size(x.f) | (1n << scale)) >> shared ? true : undefined;
}
