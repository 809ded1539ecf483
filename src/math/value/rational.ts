/**
 * Exact rational numbers on BigInt, always in lowest terms with a positive denominator.
 * Operations that could grow without bound check `maxBits` and return undefined past it.
 */
export interface Rational {
  readonly n: bigint;
  readonly d: bigint;
}

/** Numerators and denominators past this many bits are not worked out (about 2,400 decimal digits). */
export const maxBits = 8_000;

const gcd = (a: bigint, b: bigint): bigint => {
  while (b !== 0n) [a, b] = [b, a % b];
  return a < 0n ? -a : a;
};

export const bits = (x: bigint): number => x.toString(16).length * 4;

export function rational(n: bigint, d = 1n): Rational {
  if (d === 1n) return { n, d };
  const common = gcd(n, d);
  const sign = d < 0n ? -1n : 1n;
  return { n: (sign * n) / common, d: (sign * d) / common };
}

export const zero = rational(0n);
export const one = rational(1n);

export const same = (a: Rational, b: Rational): boolean => a.n === b.n && a.d === b.d;
export const isInteger = (a: Rational): boolean => a.d === 1n;
export const negate = (a: Rational): Rational => ({ n: -a.n, d: a.d });
export const add = (a: Rational, b: Rational): Rational => rational(a.n * b.d + b.n * a.d, a.d * b.d);
export const multiply = (a: Rational, b: Rational): Rational => rational(a.n * b.n, a.d * b.d);
export const divide = (a: Rational, b: Rational): Rational | undefined =>
  b.n === 0n ? undefined : rational(a.n * b.d, a.d * b.n);

/** −1, 0 or 1 as a is below, equal to or above b. */
export function order(a: Rational, b: Rational): number {
  const difference = a.n * b.d - b.n * a.d;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** a to an integer power; undefined for 0 to a negative power and past `maxBits`. */
export function power(a: Rational, exponent: bigint): Rational | undefined {
  if (exponent < 0n) return a.n === 0n ? undefined : power(rational(a.d, a.n), -exponent);
  if (a.d === 1n && (a.n === 0n || a.n === 1n || a.n === -1n)) {
    return exponent === 0n ? one : a.n === -1n && exponent % 2n === 0n ? one : a;
  }
  if (exponent > BigInt(maxBits) || Number(exponent) * Math.max(bits(a.n) - 4, bits(a.d) - 4, 1) > maxBits) {
    return undefined;
  }
  return { n: a.n ** exponent, d: a.d ** exponent };
}

/** The exact k-th root of a non-negative rational, or undefined when it is irrational. */
export function root(a: Rational, k: number): Rational | undefined {
  const n = integerRoot(a.n, k);
  const d = integerRoot(a.d, k);
  return n === undefined || d === undefined ? undefined : { n, d };
}

function integerRoot(x: bigint, k: number): bigint | undefined {
  if (x < 0n) return undefined;
  if (x < 2n) return x;
  const degree = BigInt(k);
  if (bits(x) > 8_000) return undefined;
  // Newton's iteration from above converges monotonically to the floor of the root.
  let guess = 1n << BigInt(Math.ceil(bits(x) / k) + 1);
  for (;;) {
    const next = ((degree - 1n) * guess + x / guess ** (degree - 1n)) / degree;
    if (next >= guess) break;
    guess = next;
  }
  return guess ** degree === x ? guess : undefined;
}

/** The nearest double, also when both parts are beyond the range of doubles. */
export function toNumber(a: Rational): number {
  const size = Math.max(bits(a.n), bits(a.d));
  if (size < 1000) return Number(a.n) / Number(a.d);
  const shift = BigInt(bits(a.n) - bits(a.d)) - 128n;
  const scaled = shift < 0n ? (a.n << -shift) / a.d : a.n / (a.d << shift);
  return Number(scaled) * 2 ** Number(shift);
}

/** A decimal literal such as `-12.50` as a rational, with the number of digits after the point. */
export function fromDecimal(whole: string, fraction: string, exponent = 0): Rational {
  const places = fraction.length - exponent;
  const digits = BigInt((whole + fraction).replace(/^$/, "0"));
  return places > 0 ? rational(digits, 10n ** BigInt(places)) : rational(digits * 10n ** BigInt(-places));
}

/** Reads "3", "-3/4" for messages. */
export const show = (a: Rational): string => (a.d === 1n ? `${a.n}` : `${a.n}/${a.d}`);
