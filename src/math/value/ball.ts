/**
 * Complex numbers in double precision with a bound on their error ("ball arithmetic"): a difference larger than the
 * bounds proves two values different, a smaller one makes them equal up to a relative 1e-15 or so.
 */
export interface Ball {
  readonly re: number;
  readonly im: number;
  /** The true value lies within this distance. */
  readonly err: number;
}

const ulp = 2 ** -52;

export const size = (a: Ball): number => (a.im === 0 ? Math.abs(a.re) : Math.hypot(a.re, a.im));

/** A ball, or undefined when a value is not finite. */
export function ball(re: number, im = 0, err = 0): Ball | undefined {
  return Number.isFinite(re) && Number.isFinite(im) && Number.isFinite(err) ? { re, im, err } : undefined;
}

const rounded = (re: number, im: number, err: number): Ball | undefined =>
  ball(re, im, err + 2 * ulp * (Math.abs(re) + Math.abs(im)));

/** Integers are added and multiplied without error. */
const isExact = (a: Ball, b: Ball, re: number): boolean =>
  a.err === 0 && b.err === 0 && a.im === 0 && b.im === 0 && Number.isSafeInteger(re) && Number.isInteger(a.re);

export const addBalls = (a: Ball, b: Ball): Ball | undefined =>
  isExact(a, b, a.re + b.re) && Number.isInteger(b.re)
    ? { re: a.re + b.re, im: 0, err: 0 }
    : rounded(a.re + b.re, a.im + b.im, a.err + b.err);
export const negateBall = (a: Ball): Ball => ({ re: -a.re, im: -a.im, err: a.err });

export function multiplyBalls(a: Ball, b: Ball): Ball | undefined {
  if (isExact(a, b, a.re * b.re) && Number.isInteger(b.re)) return { re: a.re * b.re, im: 0, err: 0 };
  const err = size(a) * b.err + size(b) * a.err + a.err * b.err;
  if (a.im === 0 && b.im === 0) return rounded(a.re * b.re, 0, err);
  return rounded(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re, err + 2 * ulp * size(a) * size(b));
}

export function divideBalls(a: Ball, b: Ball): Ball | undefined {
  const m = size(b);
  if (m <= b.err) return undefined;
  if (a.im === 0 && b.im === 0) {
    const quotient = a.re / b.re;
    return rounded(quotient, 0, (a.err + Math.abs(quotient) * b.err) / (m - b.err));
  }
  const scale = 1 / (b.re * b.re + b.im * b.im);
  const re = (a.re * b.re + a.im * b.im) * scale;
  const im = (a.im * b.re - a.re * b.im) * scale;
  const q = Math.hypot(re, im);
  return rounded(re, im, (a.err + q * b.err) / (m - b.err) + 4 * ulp * q);
}

export function expBall(a: Ball): Ball | undefined {
  const m = Math.exp(a.re);
  const err = m * (Math.expm1(a.err) + ulp * (2 + size(a)));
  return a.im === 0 ? ball(m, 0, err) : ball(m * Math.cos(a.im), m * Math.sin(a.im), err);
}

/** The principal logarithm; numbers within their error of the negative axis count as on it. */
export function logBall(a: Ball): Ball | undefined {
  const m = size(a);
  if (m <= a.err) return undefined;
  const im = Math.abs(a.im) <= a.err ? (a.re < 0 ? Math.PI : 0) : Math.atan2(a.im, a.re);
  return rounded(Math.log(m), im, a.err / (m - a.err) + ulp);
}

export function sqrtBall(a: Ball): Ball | undefined {
  const m = size(a);
  if (m <= 2 * a.err) return ball(0, 0, Math.sqrt(m + a.err));
  const r = Math.sqrt(m);
  const err = a.err / r + 2 * ulp * r;
  if (Math.abs(a.im) <= a.err) return a.re >= 0 ? ball(Math.sqrt(a.re), 0, err) : ball(0, Math.sqrt(-a.re), err);
  const re = Math.sqrt((m + Math.abs(a.re)) / 2);
  const other = a.im / (2 * re);
  return a.re >= 0 ? ball(re, other, err) : ball(Math.abs(other), a.im < 0 ? -re : re, err);
}

/** a to an integer power by squaring. */
export function integerPower(a: Ball, exponent: number): Ball | undefined {
  let result: Ball | undefined = { re: 1, im: 0, err: 0 };
  let square: Ball | undefined = a;
  for (let n = Math.abs(exponent); n > 0; n = Math.floor(n / 2)) {
    if (!square || !result) return undefined;
    if (n % 2 === 1) result = multiplyBalls(result, square);
    if (n > 1) square = multiplyBalls(square, square);
  }
  return exponent >= 0 ? result : result && divideBalls({ re: 1, im: 0, err: 0 }, result);
}

export function powerBall(a: Ball, b: Ball): Ball | undefined {
  if (b.im === 0 && b.err === 0 && Number.isInteger(b.re) && Math.abs(b.re) <= 4096) {
    return a.re === 0 && a.im === 0 && b.re <= 0 ? undefined : integerPower(a, b.re);
  }
  if (size(a) <= a.err) return a.err === 0 && b.re > b.err ? { re: 0, im: 0, err: 0 } : undefined;
  const log = logBall(a);
  const product = log && multiplyBalls(b, log);
  return product && expBall(product);
}

export function sinBall(a: Ball): Ball | undefined {
  if (a.im === 0) return ball(Math.sin(a.re), 0, a.err + ulp * (1 + Math.abs(a.re)));
  const err = Math.cosh(a.im) * (Math.sinh(a.err) + ulp * (2 + size(a)));
  return ball(Math.sin(a.re) * Math.cosh(a.im), Math.cos(a.re) * Math.sinh(a.im), err);
}

/** cos z = sin(π/2 − z), which is exact enough near the zeros of neither. */
export const cosBall = (a: Ball): Ball | undefined =>
  sinBall({ re: Math.PI / 2 - a.re, im: -a.im, err: a.err + ulp * (1 + size(a)) });

/** A real function of a real ball whose derivative near it is at most `slope`. */
export function realFunction(a: Ball, f: (x: number) => number, slope: number): Ball | undefined {
  if (Math.abs(a.im) > a.err) return undefined;
  const value = f(a.re);
  return ball(value, 0, a.err * slope + 4 * ulp * (Math.abs(value) + ulp));
}

/** Γ(x + 1) for real x above −1, by Stirling's series at 17 and beyond, good to 1e-13. */
export function factorialBall(a: Ball): Ball | undefined {
  if (Math.abs(a.im) > a.err || a.re <= -0.9 || a.re > 168) return undefined;
  let [z, below] = [a.re + 1, 1];
  while (z < 17) below *= z++;
  const series = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / 1680 / z ** 2) / z ** 2) / z ** 2) / z;
  const value = (Math.sqrt(2 * Math.PI) * Math.exp((z - 0.5) * Math.log(z) - z + series)) / below;
  return ball(value, 0, value * (3e-13 + a.err * (1 + Math.log(z))));
}
