/** Numeric values, with error bounds, of expressions at a point. */
import { type Call, isCall, type Node, num, render, substitute, sym } from "../ast.js";
import type { Budget } from "../limits.js";
import {
  addBalls,
  type Ball,
  ball,
  cosBall,
  divideBalls,
  expBall,
  factorialBall,
  logBall,
  multiplyBalls,
  negateBall,
  powerBall,
  realFunction,
  sinBall,
  size,
  sqrtBall,
} from "./ball.js";
import { exactValue } from "./exact.js";
import { fraction } from "./hash.js";
import { fields, modularValue } from "./modular.js";
import { boundVariable, operators, operatorValue } from "./operators.js";
import { rational, toNumber } from "./rational.js";

/** Values of the variables, and whether the evaluation left the reals on its way (√x at a negative x). */
export class Point extends Map<string, number> {
  leftReals = false;
  /** Whether an operator on its way could not be evaluated. */
  opaque = false;

  /** With one more variable, or another value of one, while `work` runs. */
  within<T>(name: string, value: number, work: (inner: Point) => T): T {
    const outer = this.get(name);
    this.set(name, value);
    const result = work(this);
    if (outer === undefined) this.delete(name);
    else this.set(name, outer);
    return result;
  }
}

const one: Ball = { re: 1, im: 0, err: 0 };

/** The value of `node` at `point`, or undefined where it is not defined (pole, overflow, no number). */
export function numericValue(node: Node, point: Point, budget: Budget): Ball | undefined {
  budget.spend();
  switch (node.kind) {
    case "num": {
      const value = toNumber(node.value);
      return ball(value, 0, node.value.d === 1n && Number.isSafeInteger(value) ? 0 : Math.abs(value) * 2 ** -53);
    }
    case "sym":
      return symbolValue(node.name, point);
    case "call":
      return callValue(node, point, budget);
    default:
      return undefined;
  }
}

function symbolValue(name: string, point: Point): Ball | undefined {
  if (name === "pi") return { re: Math.PI, im: 0, err: 2e-16 };
  const value = point.get(name);
  // The index of a sum may be called i.
  if (name === "e" && value === undefined) return { re: Math.E, im: 0, err: 2e-16 };
  if (name === "i" && value === undefined) return { re: 0, im: 1, err: 0 };
  if (name === "oo") return undefined;
  return value === undefined ? undefined : { re: value, im: 0, err: 0 };
}

/** Names of the variables in `node`: symbols other than constants. */
export function variables(node: Node, into = new Set<string>()): Set<string> {
  if (node.kind === "sym") {
    if (!["pi", "e", "i", "oo", ""].includes(node.name)) into.add(node.name);
  } else if (node.kind === "call") {
    const bound = boundVariable(node);
    if (bound === undefined) for (const arg of node.args) variables(arg, into);
    else for (const name of freeVariables(node)) if (name !== bound) into.add(name);
  }
  return into;
}

/** Those of an operator's arguments, of the bound in `k = 1` too. */
const freeVariables = (node: Call): Set<string> => {
  const names = new Set<string>();
  for (const arg of node.args) variables(arg.kind === "rel" ? arg.args.at(-1)! : arg, names);
  return names;
};

/** 1 for ∞, −1 for −∞, 0 for anything else. */
export function isInfinite(node: Node): -1 | 0 | 1 {
  if (node.kind === "sym") return node.name === "oo" ? 1 : 0;
  return isCall(node, "neg") ? ((0 - isInfinite(node.args[0]!)) as -1 | 0 | 1) : 0;
}

type Operation = (...args: Ball[]) => Ball | undefined;

const chain =
  (step: (a: Ball, b: Ball) => Ball | undefined): Operation =>
  (...args) =>
    args.reduce<Ball | undefined>((total, value, i) => (i === 0 ? value : total && step(total, value)), undefined);

const over = (a: Ball | undefined, b: Ball | undefined): Ball | undefined => a && b && divideBalls(a, b);
const sum = (a: Ball | undefined, b: Ball | undefined): Ball | undefined => a && b && addBalls(a, b);
const times = (a: Ball | undefined, b: Ball | undefined): Ball | undefined => a && b && multiplyBalls(a, b);
const half: Ball = { re: 0.5, im: 0, err: 0 };

/** (e^x + sign·e^−x) / 2 */
const hyperbolic = (a: Ball, sign: Ball): Ball | undefined =>
  times(half, sum(expBall(a), times(sign, expBall(negateBall(a)))));
const sinh = (a: Ball): Ball | undefined => hyperbolic(a, negateBall(one));
const cosh = (a: Ball): Ball | undefined => hyperbolic(a, one);
/** Inverse sine and cosine have slope 1/√(1−x²); at the ends the error is the root of the argument's. */
const arc = (a: Ball | undefined, f: (x: number) => number): Ball | undefined => {
  if (!a || Math.abs(a.re) > 1 + a.err) return undefined;
  const x = Math.max(-1, Math.min(1, a.re));
  const gap = Math.max(1 - x * x, a.err, 1e-16);
  return realFunction({ ...a, re: x }, f, 2 / Math.sqrt(gap));
};
const reciprocal = (a: Ball | undefined): Ball | undefined => a && divideBalls(one, a);
const step = (a: Ball, f: (x: number) => number): Ball | undefined =>
  f(a.re - a.err - 1e-12) === f(a.re + a.err + 1e-12) && a.im === 0 ? ball(f(a.re)) : undefined;

/** Where the slope is no positive number the function is not defined. */
const slopes = (a: Ball, f: (x: number) => number, slope: number): Ball | undefined =>
  slope > 0 ? realFunction(a, f, slope) : undefined;

const operations: Record<string, Operation> = {
  add: chain(addBalls),
  mul: chain(multiplyBalls),
  neg: negateBall,
  div: divideBalls,
  pow: powerBall,
  sqrt: sqrtBall,
  root: rootBall,
  abs: (a) => ball(size(a), 0, a.err),
  deg: (a) => times(a, { re: Math.PI / 180, im: 0, err: 1e-18 }),
  sin: sinBall,
  cos: cosBall,
  tan: (a) => over(sinBall(a), cosBall(a)),
  cot: (a) => over(cosBall(a), sinBall(a)),
  sec: (a) => reciprocal(cosBall(a)),
  csc: (a) => reciprocal(sinBall(a)),
  sinh,
  cosh,
  tanh: (a) => over(sinh(a), cosh(a)),
  coth: (a) => over(cosh(a), sinh(a)),
  sech: (a) => reciprocal(cosh(a)),
  csch: (a) => reciprocal(sinh(a)),
  arcsin: (a) => arc(a, Math.asin),
  arccos: (a) => arc(a, Math.acos),
  arctan: (a) => realFunction(a, Math.atan, 1),
  arccot: (a) => realFunction(a, (x) => Math.PI / 2 - Math.atan(x), 1),
  arcsec: (a) => arc(reciprocal(a), Math.acos),
  arccsc: (a) => arc(reciprocal(a), Math.asin),
  arcsinh: (a) => realFunction(a, Math.asinh, 1),
  arccosh: (a) => slopes(a, Math.acosh, 1 / Math.sqrt(a.re > 1 ? a.re * a.re - 1 : Number.NaN)),
  arctanh: (a) => slopes(a, Math.atanh, 1 / (1 - a.re * a.re)),
  ln: logBall,
  log: (base, a) => over(logBall(a), logBall(base)),
  floor: (a) => step(a, Math.floor),
  ceil: (a) => step(a, Math.ceil),
  sgn: (a) => (size(a) > a.err ? ball(Math.sign(a.re)) : undefined),
  fact: factorialBall,
  binom: binomialBall,
  max: (...args) => args.reduce((a, b) => (a.re >= b.re ? a : b)),
  min: (...args) => args.reduce((a, b) => (a.re <= b.re ? a : b)),
  conj: (a) => ({ re: a.re, im: -a.im, err: a.err }),
  Re: (a) => ball(a.re, 0, a.err),
  Im: (a) => ball(a.im, 0, a.err),
};

/** Real odd roots of negative numbers are negative, as in school; otherwise the principal root. */
function rootBall(a: Ball, n: Ball): Ball | undefined {
  const exponent = divideBalls(one, n);
  if (!exponent) return undefined;
  if (a.im === 0 && a.re < 0 && Number.isInteger(n.re) && Math.abs(n.re) % 2 === 1) {
    const positive = powerBall(negateBall(a), exponent);
    return positive && negateBall(positive);
  }
  return powerBall(a, exponent);
}

function binomialBall(n: Ball, k: Ball): Ball | undefined {
  const rest = addBalls(n, negateBall(k));
  return over(factorialBall(n), times(factorialBall(k), rest && factorialBall(rest)));
}

function callValue(node: Call, point: Point, budget: Budget): Ball | undefined {
  const operation = operations[node.op];
  if (node.op === "rounded") return roundedValue(node.args[0]!);
  if (!operation) return specialValue(node, point, budget);
  const exact = node.op === "pow" ? rationalPower(node, point, budget) : undefined;
  if (exact) return exact;
  const args: Ball[] = [];
  for (const arg of node.args) {
    const value = numericValue(arg, point, budget);
    if (!value) return undefined;
    args.push(value);
  }
  const value = operation(...args) ?? wholeStep(node, args[0]!, budget);
  if (value && isComplex(value) && !args.some(isComplex)) point.leftReals = true;
  return value;
}

/** `\\lfloor 2y - y - y \\rfloor`: a step at an argument that is an integer whatever its variables. */
function wholeStep(node: Call, value: Ball, budget: Budget): Ball | undefined {
  if (node.op !== "floor" && node.op !== "ceil") return undefined;
  const whole = Math.round(value.re);
  if (!Number.isSafeInteger(whole)) return undefined;
  const rest: Call = { kind: "call", op: "add", args: [node.args[0]!, num(rational(BigInt(-whole)))] };
  return fields.every((field) => modularValue(rest, field, budget) === 0n) ? ball(whole) : undefined;
}

export const isComplex = (a: Ball): boolean => Math.abs(a.im) > a.err;

/** A decimal taken as rounded in its last digit. */
function roundedValue(node: Node): Ball | undefined {
  if (node.kind !== "num") return undefined;
  const value = toNumber(node.value);
  return ball(value, 0, Math.abs(value) * 2 ** -52 + 10 ** -(node.places ?? 0));
}

/**
 * Rational exponents, exactly: an integer exponent by squaring, p/q with q odd of a negative number by the real root, as
 * in school.
 */
function rationalPower(node: Call, point: Point, budget: Budget): Ball | undefined {
  const exponent = exactValue(node.args[1]!, budget);
  if (!exponent || (exponent.d !== 1n && (exponent.d % 2n === 0n || exponent.d > 99n))) return undefined;
  const base = numericValue(node.args[0]!, point, budget);
  if (!base) return undefined;
  const power = Number(exponent.n);
  const integer: Ball = { re: power, im: 0, err: Number.isSafeInteger(power) ? 0 : Math.abs(power) * 2 ** -53 };
  if (exponent.d === 1n) return powerBall(base, integer);
  if (base.im !== 0 || base.re >= 0) return undefined;
  const rooted = rootBall(base, { re: Number(exponent.d), im: 0, err: 0 });
  return rooted && powerBall(rooted, integer);
}

/** Operators by what they compute; anything else is a variable of its own, equal only to the same thing. */
function specialValue(node: Call, point: Point, budget: Budget): Ball | undefined {
  if (node.op === "apply") return unknownFunction(node, point, budget);
  const value = operators.has(node.op) ? operatorValue(node, point, budget) : exactly(node, budget);
  if (value) return value;
  if (operators.has(node.op)) point.opaque = true;
  return { re: 0.3 + fraction(stableKey(node), 5), im: 0, err: 0 };
}

/** `\gcd`, `\bmod` and the like of numbers. */
function exactly(node: Call, budget: Budget): Ball | undefined {
  const value = exactValue(node, budget);
  return value && numericValue(num(value), new Point(), budget);
}

/** f(a): a fixed random number for each f and each value of a. */
function unknownFunction(node: Call, point: Point, budget: Budget): Ball | undefined {
  const keys: string[] = [];
  for (const arg of node.args.slice(1)) {
    const value = numericValue(arg, point, budget);
    if (!value) return undefined;
    keys.push(value.re.toPrecision(9), value.im.toPrecision(9));
  }
  return { re: 0.3 + fraction(`${render(node.args[0]!)} ${keys.join(" ")}`, 6), im: 0, err: 0 };
}

/** A rendering that does not depend on the order of terms and factors. */
function stableKey(node: Node): string {
  if (node.kind !== "call") return node.kind === "rel" ? node.args.map(stableKey).join(node.ops[0]) : render(node);
  const bound = boundVariable(node);
  if (bound !== undefined && !bound.startsWith("#"))
    return stableKey(substitute(node, bound, sym(`#${node.args.length}`)));
  const args = node.args.map(stableKey);
  if (isCall(node, "add") || isCall(node, "mul")) args.sort();
  return `${node.op}(${args.join(",")})`;
}
