/** Numeric values, with error bounds, of expressions at a point. */
import { type Call, isCall, type Node, num, render } from "../ast.js";
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
import { rational, toNumber } from "./rational.js";

/** Values of the variables, and whether the evaluation left the reals on its way (√x at a negative x). */
export class Point extends Map<string, number> {
  leftReals = false;

  /** The same point with one more variable; leaving the reals there counts here. */
  within<T>(name: string, value: number, work: (inner: Point) => T): T {
    const inner = new Point(this).set(name, value);
    const result = work(inner);
    this.leftReals ||= inner.leftReals;
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
  if (name === "e") return { re: Math.E, im: 0, err: 2e-16 };
  if (name === "i") return { re: 0, im: 1, err: 0 };
  if (name === "oo") return undefined;
  const value = point.get(name);
  return value === undefined ? undefined : { re: value, im: 0, err: 0 };
}

/** Names of the variables in `node`: symbols other than constants. */
export function variables(node: Node, into = new Set<string>()): Set<string> {
  if (node.kind === "sym") {
    if (!["pi", "e", "i", "oo", ""].includes(node.name)) into.add(node.name);
  } else if (node.kind === "call") {
    for (const arg of node.args) variables(arg, into);
  }
  return into;
}

type Operation = (args: Ball[]) => Ball | undefined;

const chain =
  (step: (a: Ball, b: Ball) => Ball | undefined): Operation =>
  (args) =>
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
const within = (a: Ball, limit: number): boolean => Math.abs(a.re) <= limit + a.err;
/** Inverse sine and cosine have slope 1/√(1−x²); at the ends the error is the root of the argument's. */
const arc = (a: Ball, f: (x: number) => number): Ball | undefined => {
  if (!within(a, 1)) return undefined;
  const x = Math.max(-1, Math.min(1, a.re));
  const gap = Math.max(1 - x * x, a.err, 1e-16);
  return realFunction({ ...a, re: x }, f, 2 / Math.sqrt(gap));
};
const arctan = (a: Ball): Ball | undefined => realFunction(a, Math.atan, 1);
const reciprocal = (a: Ball | undefined): Ball | undefined => a && divideBalls(one, a);
const step = (a: Ball, f: (x: number) => number): Ball | undefined =>
  f(a.re - a.err - 1e-12) === f(a.re + a.err + 1e-12) && a.im === 0 ? ball(f(a.re)) : undefined;

const operations: Record<string, Operation> = {
  add: chain(addBalls),
  mul: chain(multiplyBalls),
  neg: ([a]) => negateBall(a!),
  div: ([a, b]) => divideBalls(a!, b!),
  pow: ([a, b]) => powerBall(a!, b!),
  sqrt: ([a]) => sqrtBall(a!),
  root: ([a, n]) => rootBall(a!, n!),
  abs: ([a]) => ball(size(a!), 0, a!.err),
  deg: ([a]) => times(a!, { re: Math.PI / 180, im: 0, err: 1e-18 }),
  sin: ([a]) => sinBall(a!),
  cos: ([a]) => cosBall(a!),
  tan: ([a]) => over(sinBall(a!), cosBall(a!)),
  cot: ([a]) => over(cosBall(a!), sinBall(a!)),
  sec: ([a]) => reciprocal(cosBall(a!)),
  csc: ([a]) => reciprocal(sinBall(a!)),
  sinh: ([a]) => sinh(a!),
  cosh: ([a]) => cosh(a!),
  tanh: ([a]) => over(sinh(a!), cosh(a!)),
  coth: ([a]) => over(cosh(a!), sinh(a!)),
  sech: ([a]) => reciprocal(cosh(a!)),
  csch: ([a]) => reciprocal(sinh(a!)),
  arcsin: ([a]) => arc(a!, Math.asin),
  arccos: ([a]) => arc(a!, Math.acos),
  arctan: ([a]) => arctan(a!),
  arccot: ([a]) => realFunction(a!, (x) => Math.PI / 2 - Math.atan(x), 1),
  arcsec: ([a]) => {
    const inner = reciprocal(a!);
    return inner && arc(inner, Math.acos);
  },
  arccsc: ([a]) => {
    const inner = reciprocal(a!);
    return inner && arc(inner, Math.asin);
  },
  arcsinh: ([a]) => realFunction(a!, Math.asinh, 1),
  arccosh: ([a]) => (a!.re > 1 ? realFunction(a!, Math.acosh, 1 / Math.sqrt(a!.re * a!.re - 1)) : undefined),
  arctanh: ([a]) => (Math.abs(a!.re) < 1 ? realFunction(a!, Math.atanh, 1 / (1 - a!.re * a!.re)) : undefined),
  ln: ([a]) => logBall(a!),
  log: ([base, a]) => over(logBall(a!), logBall(base!)),
  floor: ([a]) => step(a!, Math.floor),
  ceil: ([a]) => step(a!, Math.ceil),
  sgn: ([a]) => (size(a!) > a!.err ? ball(Math.sign(a!.re)) : undefined),
  fact: ([a]) => factorialBall(a!),
  binom: ([n, k]) => binomialBall(n!, k!),
  max: (args) => args.reduce((a, b) => (a.re >= b.re ? a : b)),
  min: (args) => args.reduce((a, b) => (a.re <= b.re ? a : b)),
  Re: ([a]) => ball(a!.re, 0, a!.err),
  Im: ([a]) => ball(a!.im, 0, a!.err),
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
  const value = operation(args);
  if (value && isComplex(value) && !args.some(isComplex)) point.leftReals = true;
  return value;
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

function specialValue(node: Call, point: Point, budget: Budget): Ball | undefined {
  if (node.op === "sum" || node.op === "prod") {
    const value = finiteSum(node, point, budget);
    if (value) return value;
  }
  if (node.op === "int") {
    const value = integral(node, point, budget);
    if (value) return value;
  }
  if (node.op === "apply") return unknownFunction(node, point, budget);
  // Anything else (integrals, limits, …) is a variable of its own: equal only to the same thing.
  return { re: 0.3 + fraction(stableKey(node), 5), im: 0, err: 0 };
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

/** Sums and products over at most 500 integers. */
function finiteSum(node: Call, point: Point, budget: Budget): Ball | undefined {
  const [body, lower, upper] = node.args as [Node, Node, Node];
  if (lower.kind !== "rel" || lower.parts[0]!.kind !== "sym" || lower.ops[0] !== "=") return undefined;
  const from = exactValue(lower.parts[1]!, budget);
  const to = exactValue(upper, budget);
  if (from?.d !== 1n || to?.d !== 1n || to.n - from.n > 500n) return undefined;
  let total: Ball | undefined = node.op === "sum" ? { re: 0, im: 0, err: 0 } : one;
  for (let k = from.n; k <= to.n; k++) {
    const term = point.within(lower.parts[0]!.name, Number(k), (inner) => numericValue(body, inner, budget));
    total = node.op === "sum" ? sum(total, term) : times(total, term);
  }
  return total;
}

/** `\int_a^b f(x)\,dx` by Simpson's rule twice, the difference bounding the error; undefined if that is too wide. */
function integral(node: Call, point: Point, budget: Budget): Ball | undefined {
  const [body, lower, upper] = node.args as [Node, Node, Node];
  const [a, b] = [numericValue(lower, point, budget), numericValue(upper, point, budget)];
  const integrand = splitDifferential(body);
  if (!a || !b || a.im !== 0 || b.im !== 0 || !integrand) return undefined;
  const at = (x: number): number | undefined => {
    const value = point.within(integrand.name, x, (inner) => numericValue(integrand.body, inner, budget));
    return value && Math.abs(value.im) <= value.err ? value.re : undefined;
  };
  const coarse = simpson(at, a.re, b.re, 64);
  const fine = simpson(at, a.re, b.re, 128);
  if (coarse === undefined || fine === undefined) return undefined;
  const better = fine + (fine - coarse) / 15;
  const err = Math.abs(fine - coarse) / 4 + 1e-14 * Math.abs(fine);
  return err < 1e-8 * Math.max(1, Math.abs(fine)) ? ball(better, 0, err) : undefined;
}

function simpson(f: (x: number) => number | undefined, a: number, b: number, steps: number): number | undefined {
  const h = (b - a) / steps;
  let total = 0;
  for (let i = 0; i <= steps; i++) {
    const value = f(a + i * h);
    if (value === undefined) return undefined;
    total += value * (i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2);
  }
  return (total * h) / 3;
}

/** The integrand and its variable from a product that ends in d · x. */
function splitDifferential(body: Node): { body: Node; name: string } | undefined {
  if (!isCall(body, "mul") || body.args.length !== 2 || body.args[1]!.kind !== "sym") return undefined;
  const [rest, name] = [body.args[0]!, body.args[1]!.name];
  if (rest.kind === "sym" && rest.name === "d") return { body: num(rational(1n)), name };
  if (!isCall(rest, "mul") || rest.args[1]!.kind !== "sym" || rest.args[1]!.name !== "d") return undefined;
  return { body: rest.args[0]!, name };
}

/** A rendering that does not depend on the order of terms and factors. */
function stableKey(node: Node): string {
  if (node.kind !== "call") return node.kind === "rel" ? node.parts.map(stableKey).join(node.ops[0]) : render(node);
  const args = node.args.map(stableKey);
  if (isCall(node, "add") || isCall(node, "mul")) args.sort();
  return `${node.op}(${args.join(",")})`;
}
