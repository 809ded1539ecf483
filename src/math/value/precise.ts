/**
 * Real numbers with 448 bits behind the point and a bound on their error, for constants that double precision cannot tell
 * apart: √(10³⁰ + 1) and √(10³⁰ + 2), 1 + 10⁻²⁰π and 1. Undefined where a value is not real, too large, or so small that
 * its digits would be lost.
 */
export const scale = 448n;
const unit = 1n << scale;

/** f · 2^−448, with an error of at most err · 2^−448. */
export interface Real {
  readonly f: bigint;
  readonly err: bigint;
}

type Maybe = Real | undefined;

/** Larger numbers are not worked out. */
const largest = unit << 8_200n;
/** Products below this have lost digits, unless a factor is zero within its error. */
const smallest = 1n << 100n;

export const size = (f: bigint): bigint => (f < 0n ? -f : f);
const shift = (m: bigint, by: bigint): bigint => (by >= 0n ? m << by : m >> -by);

const real = (f: bigint, err: bigint): Maybe => (size(f) > largest ? undefined : { f, err });

/** A product or quotient: see `smallest`. */
const scaled = (f: bigint, err: bigint, a: Real, b: Real): Maybe =>
  size(f) < smallest && size(a.f) > a.err && size(b.f) > b.err ? undefined : real(f, err);

export const whole = (n: bigint): Maybe => real(n << scale, 0n);
export const fromRational = (n: bigint, d: bigint): Maybe => (d === 1n ? whole(n) : over(whole(n), whole(d)));

export const negative = (a: Maybe): Maybe => a && { f: -a.f, err: a.err };
export const plus = (a: Maybe, b: Maybe): Maybe => a && b && real(a.f + b.f, a.err + b.err);

export function times(a: Maybe, b: Maybe): Maybe {
  if (!a || !b) return undefined;
  const err = size(a.f) * b.err + size(b.f) * a.err + a.err * b.err;
  return scaled((a.f * b.f) >> scale, (err >> scale) + 2n, a, b);
}

export function over(a: Maybe, b: Maybe): Maybe {
  const bottom = b && size(b.f) - b.err;
  if (!a || !b || !bottom || bottom <= 0n) return undefined;
  const f = (a.f << scale) / b.f;
  return scaled(f, ((a.err << scale) + size(f) * b.err) / bottom + 2n, a, b);
}

/** The floor of a square root, by Newton's iteration from above. */
function squareRoot(n: bigint): bigint {
  if (n < 2n) return n;
  let guess = 1n << (bits(n) / 2n + 1n);
  for (;;) {
    const next = (guess + n / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

/** Bits of a positive number. */
function bits(n: bigint): bigint {
  const hex = n.toString(16);
  return BigInt(4 * hex.length - Math.clz32(Number.parseInt(hex[0]!, 16)) + 28);
}

export function sqrt(a: Maybe): Maybe {
  if (!a || a.f < 0n) return undefined;
  const f = squareRoot(a.f << scale);
  return real(f, f === 0n ? squareRoot(a.err << scale) : (a.err << scale) / f + 2n);
}

/** Rounds towards 0, so that the terms of a series reach it. */
const product = (a: bigint, b: bigint): bigint => (a * b) / unit;

/** The sum of terms, each made of the one before. */
function series(first: bigint, next: (term: bigint, i: bigint) => bigint): bigint {
  let total = 0n;
  let term = first;
  for (let i = 1n; term !== 0n; i++) {
    total += term;
    term = next(term, i);
  }
  return total;
}

/** Σ z^(2i+1) / (2i+1), the signs alternating for the arc tangent. */
function odd(z: bigint, sign: 1n | -1n): bigint {
  const square = sign * product(z, z);
  let power = z;
  let total = 0n;
  for (let i = 1n; power !== 0n; i += 2n) {
    total += power / i;
    power = product(power, square);
  }
  return total;
}

/** What the terms of a series may lose by rounding. */
const lost = 1n << 12n;

const logOfTwo = 2n * odd(unit / 3n, 1n);
/** Machin: π = 16 arctan(1/5) − 4 arctan(1/239). */
const piFixed = 16n * odd(unit / 5n, -1n) - 4n * odd(unit / 239n, -1n);

export const pi = (): Maybe => real(piFixed, lost);

/** The integer next to a / b, for positive b. */
const nearest = (a: bigint, b: bigint): bigint => (2n * a + b) / (2n * b) - (2n * a + b < 0n ? 1n : 0n);

export function exp(a: Maybe): Maybe {
  const k = a ? nearest(a.f, logOfTwo) : 0n;
  if (!a || size(k) > 8_000n || k < -300n || a.err > unit) return undefined;
  const r = a.f - k * logOfTwo;
  const value = series(unit, (term, i) => product(term, r) / i);
  return real(shift(value, k), shift(4n * (a.err + lost * (size(k) + 1n)), k) + 1n);
}

export function ln(a: Maybe): Maybe {
  if (!a || a.f <= 2n * a.err) return undefined;
  const k = bits(a.f) - scale;
  const f = shift(a.f, -k);
  const value = 2n * odd(((f - unit) << scale) / (f + unit), 1n) + k * logOfTwo;
  return real(value, ((2n * a.err) << scale) / a.f + lost * (size(k) + 2n));
}

/** Sine and cosine together. */
export function sinCos(a: Maybe): { sin: Maybe; cos: Maybe } {
  if (!a) return { sin: undefined, cos: undefined };
  const quarter = piFixed / 2n;
  const n = nearest(a.f, quarter);
  const r = a.f - n * quarter;
  const square = product(r, r);
  const s = series(r, (term, i) => -product(term, square) / (2n * i * (2n * i + 1n)));
  const c = series(unit, (term, i) => -product(term, square) / ((2n * i - 1n) * 2n * i));
  const turns = [s, c, -s, -c, s];
  const turn = Number(((n % 4n) + 4n) % 4n);
  const err = a.err + lost * (size(n) + 1n);
  return { sin: real(turns[turn]!, err), cos: real(turns[turn + 1]!, err) };
}

/** Halves the angle three times: arctan z = 2 arctan(z / (1 + √(1 + z²))). */
export function arctan(a: Maybe): Maybe {
  const one = whole(1n);
  let z = a;
  for (let i = 0; i < 3; i++) z = over(z, plus(one, sqrt(plus(one, times(z, z)))));
  return z && real(8n * odd(z.f, -1n), 8n * (z.err + lost));
}
