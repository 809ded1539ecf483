/**
 * Integrals, infinite sums and limits as numbers with an error bound that two independent approximations give; undefined
 * where they do not settle.
 */
import { type Ball, ball } from "./ball.js";

type Function = (x: number) => Ball | undefined;

/** Wider errors than this say too little to compare by. */
const widest = 1e-8;

const settled = (value: number, err: number): Ball | undefined =>
  err < widest * Math.max(1, Math.abs(value)) ? ball(value, 0, err) : undefined;

const real = (value: Ball | undefined): value is Ball => value !== undefined && Math.abs(value.im) <= value.err + 1e-15;

/** ∫ₐᵇ f by double exponential quadrature, steps halved until two levels agree. Ends may be infinite or singular. */
export function integral(f: Function, a: number, b: number): Ball | undefined {
  if (a === b) return ball(0);
  if (a > b) {
    const back = integral(f, b, a);
    return back && { ...back, re: -back.re };
  }
  const node = transform(a, b);
  let before = Number.NaN;
  for (let step = 0.5; step >= 1 / 64; step /= 2) {
    const sum = trapezoid(f, node, step);
    if (!sum) return undefined;
    const gap = Math.abs(sum.re - before);
    const enough = gap < 1e-10 * Math.max(1, Math.abs(sum.re));
    if (enough) return settled(sum.re, gap + sum.err + 1e-14 * Math.abs(sum.re));
    before = sum.re;
  }
  return undefined;
}

/** x(t) and dx/dt for t over the reals, steep towards the ends. */
function transform(a: number, b: number): (t: number) => [number, number] {
  const half = Math.PI / 2;
  if (Number.isFinite(a) && Number.isFinite(b))
    return (t) => {
      // The distance to the nearer end, to keep its digits.
      const share = 1 / (1 + Math.exp(Math.PI * Math.sinh(Math.abs(t))));
      const x = t < 0 ? a + (b - a) * share : b - (b - a) * share;
      return [x, (b - a) * share * (1 - share) * Math.PI * Math.cosh(t)];
    };
  if (!Number.isFinite(a) && !Number.isFinite(b))
    return (t) => [Math.sinh(half * Math.sinh(t)), Math.cosh(half * Math.sinh(t)) * half * Math.cosh(t)];
  const [end, sign] = Number.isFinite(a) ? [a, 1] : [b, -1];
  return (t) => {
    const distance = Math.exp(half * Math.sinh(t));
    return [end + sign * distance, distance * half * Math.cosh(t)];
  };
}

function trapezoid(f: Function, node: (t: number) => [number, number], step: number): Ball | undefined {
  let [total, err] = [0, 0];
  for (const sign of [1, -1]) {
    let small = 0;
    for (let t = sign === 1 ? 0 : step; t < 6.5 && small < 3; t += step) {
      const [x, weight] = node(sign * t);
      const value = weight > 1e-300 && Number.isFinite(x) ? f(x) : undefined;
      // Behind the last number before an end nothing can be evaluated; anywhere else that is a pole.
      if (!real(value)) {
        if (t < 2) return undefined;
        break;
      }
      const term = value.re * weight * step;
      total += term;
      err += value.err * weight * step;
      small = Math.abs(term) <= 1e-17 * Math.abs(total) ? small + 1 : 0;
    }
  }
  return Number.isFinite(total) ? { re: total, im: 0, err } : undefined;
}

const sumTerms = 40;

/** a(k) + a(k+1) + … : added up, or by Levin's u transform where the terms fall too slowly for that. */
export function infiniteSum(term: Function, from: number): Ball | undefined {
  const terms: number[] = [];
  let [sum, err, small] = [0, 0, 0];
  for (let k = from; k < from + 4 * sumTerms; k++) {
    const value = term(k);
    if (!real(value)) break;
    sum += value.re;
    err += value.err;
    small = Math.abs(value.re) <= 1e-18 * Math.max(1e-300, Math.abs(sum)) ? small + 1 : 0;
    if (small > 8) return settled(sum, err + 1e-15 * Math.abs(sum));
    if (value.re !== 0) terms.push(value.re);
  }
  return terms.length >= sumTerms && converges(terms) ? levin(terms.slice(0, sumTerms)) : undefined;
}

/** Whether the terms fall faster than 1/n, or alternate and fall. */
function converges(terms: number[]): boolean {
  const [early, late] = [terms.length >> 1, terms.length - 1];
  const fall = Math.log2(Math.abs(terms[early]! / terms[late]!)) / Math.log2((late + 1) / (early + 1));
  const alternating = terms.every((term, i) => i === 0 || Math.sign(term) !== Math.sign(terms[i - 1]!));
  return fall > (alternating ? 0.2 : 1.1);
}

function levin(terms: number[]): Ball | undefined {
  const above: number[] = [];
  const below: number[] = [];
  let [sum, last, beforeLast] = [0, Number.NaN, Number.NaN];
  let best: [number, number] = [Number.NaN, Number.POSITIVE_INFINITY];
  for (let n = 0; n < terms.length; n++) {
    sum += terms[n]!;
    const weight = 1 / ((n + 1) * terms[n]!);
    above.push(sum * weight);
    below.push(weight);
    for (let j = n - 1; j >= 0; j--) {
      const ratio = ((j + 1) / n) * (n / (n + 1)) ** (n - 1 - j);
      above[j] = above[j + 1]! - ratio * above[j]!;
      below[j] = below[j + 1]! - ratio * below[j]!;
    }
    const value = above[0]! / below[0]!;
    const gap = Math.abs(value - last) + Math.abs(last - beforeLast);
    if (gap < best[1]) best = [value, gap];
    [last, beforeLast] = [value, last];
  }
  return settled(best[0], 10 * best[1] + 1e-14 * Math.abs(best[0]));
}

/** The derivative of that order at x, by central differences. */
export function derivative(f: Function, x: number, order: number): Ball | undefined {
  const difference = (h: number): Ball | undefined => {
    let [sum, err, weight] = [0, 0, 1];
    for (let k = 0; k <= order; k++) {
      const value = f(x + (order / 2 - k) * h);
      if (!real(value)) return undefined;
      sum += weight * value.re;
      err += Math.abs(weight) * value.err;
      weight *= (k - order) / (k + 1);
    }
    return { re: sum / h ** order, im: 0, err: (err + 1e-16 * Math.abs(sum)) / h ** order };
  };
  return extrapolated((j) => difference(2 ** -(j + 2)), 11 - 2 * order);
}

/** lim f(x) for x → a from the sides asked for, by Richardson's extrapolation over distances 2^−j. */
export function limit(f: Function, at: number, sides: readonly (1 | -1)[]): Ball | undefined {
  const values = sides.map((side) =>
    extrapolated((j) => f(Number.isFinite(at) ? at + side * 2 ** -j : Math.sign(at) * 2 ** j)),
  );
  const [first, second = first] = values;
  if (!first || !second || Math.abs(first.re - second.re) > first.err + second.err) return undefined;
  return first;
}

function extrapolated(f: (j: number) => Ball | undefined, last = 9): Ball | undefined {
  let row: number[] = [];
  let [err, before] = [0, Number.NaN];
  for (let j = 1; j <= last; j++) {
    const value = f(j);
    if (!real(value)) return undefined;
    const next = [value.re];
    for (const [m, old] of row.entries()) next.push(next[m]! + (next[m]! - old) / (2 ** (m + 1) - 1));
    before = row.at(-1) ?? Number.NaN;
    err = 20 * value.err + Math.abs(next.at(-1)! - before);
    row = next;
  }
  const value = row.at(-1)!;
  return settled(value, 2 * err + 1e-13 * Math.abs(value));
}
