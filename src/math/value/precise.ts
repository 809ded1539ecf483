/**
 * Real numbers with 256 bits and a bound on their error, for constants that double precision cannot tell apart:
 * √(10³⁰ + 1) and √(10³⁰ + 2), 1 + 10⁻²⁰π and 1. Undefined where a value is not real or out of range.
 */
const precision = 256;
/** Bits behind the point in the fixed-point series. */
const scale = precision + 96;
const unit = 1n << BigInt(scale);

/** m · 2^e, with an error of at most 2^x. */
export interface Real {
  readonly m: bigint;
  readonly e: number;
  readonly x: number;
}

type Maybe = Real | undefined;

const absolute = (m: bigint): bigint => (m < 0n ? -m : m);
/** Bits of m, up to three too many. */
const bits = (m: bigint): number => (m === 0n ? 0 : absolute(m).toString(16).length * 4);
/** An upper bound of log₂|a|, at most four too large. */
export const magnitude = (a: Real): number => (a.m === 0n ? Math.max(a.x, -4 * scale) : bits(a.m) + a.e);

const shift = (m: bigint, by: number): bigint => (by >= 0 ? m << BigInt(by) : m >> BigInt(-by));

function real(m: bigint, e: number, x: number): Maybe {
  if (Math.abs(e) > 1e6) return undefined;
  const extra = bits(m) - precision;
  return extra <= 0 ? { m, e, x } : { m: shift(m, -extra), e: e + extra, x: Math.max(x, e + extra) + 1 };
}

/** An error that does not count: exact numbers have it. */
const exact = -1e7;

export const fromRational = (n: bigint, d: bigint): Maybe => {
  const top = real(n, 0, exact);
  return d === 1n ? top : over(top, real(d, 0, exact));
};

export const negative = (a: Maybe): Maybe => a && { ...a, m: -a.m };

export function plus(a: Maybe, b: Maybe): Maybe {
  if (!a || !b) return undefined;
  const [high, low] = a.e >= b.e ? [a, b] : [b, a];
  if (high.e - low.e > 8 * precision) {
    if (high.m !== 0n) return { ...high, x: Math.max(high.x, magnitude(low)) + 1 };
    return low;
  }
  return real(shift(high.m, high.e - low.e) + low.m, low.e, Math.max(a.x, b.x) + 1);
}

export function times(a: Maybe, b: Maybe): Maybe {
  if (!a || !b) return undefined;
  return real(a.m * b.m, a.e + b.e, Math.max(magnitude(a) + b.x, magnitude(b) + a.x, a.x + b.x) + 2);
}

export function over(a: Maybe, b: Maybe): Maybe {
  if (!a || !b || b.m === 0n || magnitude(b) - 6 <= b.x) return undefined;
  const up = precision + bits(b.m);
  const m = shift(a.m, up) / b.m;
  const e = a.e - b.e - up;
  const size = bits(m) + e;
  return real(m, e, Math.max(a.x, size + b.x, e + magnitude(b)) - magnitude(b) + 8);
}

/** The floor of a square root, by Newton's iteration from above. */
function squareRoot(n: bigint): bigint {
  if (n < 2n) return n;
  let guess = 1n << BigInt(Math.ceil(bits(n) / 2) + 1);
  for (;;) {
    const next = (guess + n / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

export function sqrt(a: Maybe): Maybe {
  if (!a || a.m < 0n) return undefined;
  if (a.m === 0n) return a.x === exact ? a : { m: 0n, e: 0, x: Math.ceil(a.x / 2) };
  const up = 2 * precision + (a.e % 2 === 0 ? 0 : 1);
  const m = squareRoot(shift(a.m, up));
  const e = (a.e - up) / 2;
  return real(m, e, Math.max(a.x - (bits(m) + e) + 4, e) + 2);
}

/** As a fixed-point number, for values below 2^64 whose error is small enough to matter. */
const fixed = (a: Real): bigint | undefined => (magnitude(a) > 64 ? undefined : shift(a.m, a.e + scale));
const fromFixed = (f: bigint, x: number): Maybe => real(f, -scale, Math.max(x, -precision) + 4);
/** Rounds towards 0, so that the terms of a series reach it. */
function product(a: bigint, b: bigint): bigint {
  const full = a * b;
  return full < 0n ? -(-full >> BigInt(scale)) : full >> BigInt(scale);
}

/** Σ signⁿ zⁿ·step, the terms given by their quotient. */
function series(first: bigint, next: (term: bigint, i: number) => bigint): bigint {
  let total = 0n;
  let term = first;
  for (let i = 1; term !== 0n; i++) {
    total += term;
    term = next(term, i);
  }
  return total;
}

/** Σ z^(2i+1) / (2i+1), the signs alternating for the arc tangent. */
function odd(z: bigint, alternating: boolean): bigint {
  const square = product(z, z);
  let power = z;
  let total = 0n;
  for (let i = 0; power !== 0n; i++) {
    const term = power / BigInt(2 * i + 1);
    total += alternating && i % 2 === 1 ? -term : term;
    power = product(power, square);
  }
  return total;
}

const logOfTwo = 2n * odd(unit / 3n, false);
/** Machin: π = 16 arctan(1/5) − 4 arctan(1/239). */
const piFixed = 16n * odd(unit / 5n, true) - 4n * odd(unit / 239n, true);

export const pi = (): Maybe => fromFixed(piFixed, exact);

const nearest = (a: bigint, b: bigint): bigint => (2n * a + b) / (2n * b) - ((2n * a + b) % (2n * b) < 0n ? 1n : 0n);

export function exp(a: Maybe): Maybe {
  const f = a && magnitude(a) <= 20 ? fixed(a) : undefined;
  if (!a || f === undefined) return undefined;
  const k = nearest(f, logOfTwo);
  const r = f - k * logOfTwo;
  const value = series(unit, (term, i) => product(term, r) / BigInt(i));
  // k · ln 2 carries the error of ln 2 up to 20 bits.
  return real(value, Number(k) - scale, Number(k) + Math.max(a.x, -precision) + 6);
}

export function ln(a: Maybe): Maybe {
  if (!a || a.m <= 0n || magnitude(a) - 6 <= a.x) return undefined;
  let k = bits(a.m);
  while (a.m >> BigInt(k - 1) === 0n) k--;
  const f = shift(a.m, scale - k);
  const value = 2n * odd(((f - unit) << BigInt(scale)) / (f + unit), false) + BigInt(k + a.e) * logOfTwo;
  return fromFixed(value, a.x - magnitude(a) + 6);
}

/** Sine and cosine together. */
export function sinCos(a: Maybe): { sin: Maybe; cos: Maybe } {
  const f = a && fixed(a);
  if (!a || f === undefined) return { sin: undefined, cos: undefined };
  const quarter = piFixed / 2n;
  const n = nearest(f, quarter);
  const r = f - n * quarter;
  const square = product(r, r);
  const s = series(r, (term, i) => -product(term, square) / BigInt(2 * i * (2 * i + 1)));
  const c = series(unit, (term, i) => -product(term, square) / BigInt((2 * i - 1) * 2 * i));
  const turn = Number(((n % 4n) + 4n) % 4n);
  const [sin, cos] = [
    [s, c],
    [c, -s],
    [-s, -c],
    [-c, s],
  ][turn]!;
  // n · π/2 carries the error of π up to 64 bits.
  const x = Math.max(a.x, magnitude(a) - scale + 8);
  return { sin: fromFixed(sin!, x), cos: fromFixed(cos!, x) };
}

export function arctan(a: Maybe): Maybe {
  if (!a) return undefined;
  if (a.m < 0n) return negative(arctan(negative(a)));
  const one = fromRational(1n, 1n);
  if (magnitude(a) > 1) return plus(over(pi(), fromRational(2n, 1n)), negative(arctanSmall(over(one, a))));
  return arctanSmall(a);
}

/** Halves the angle three times: arctan z = 2 arctan(z / (1 + √(1 + z²))). */
function arctanSmall(a: Maybe): Maybe {
  const one = fromRational(1n, 1n);
  let z = a;
  for (let i = 0; i < 3; i++) z = over(z, plus(one, sqrt(plus(one, times(z, z)))));
  const f = z && fixed(z);
  return f === undefined || !z ? undefined : fromFixed(8n * odd(f, true), z.x + 3);
}
