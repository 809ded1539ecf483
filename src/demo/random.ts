import { Pcg32 } from "../data/pcg32.js";

/** The demo's own sequence of PCG32, apart from the one that orders training rows. */
const STREAM = 0x64656d6fn;

/** A seeded source of random numbers for generated data; not for sampling from models. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer in [low, high], both ends included. */
  integer(low: number, high: number): number;
  /** One of the items, each equally likely. */
  pick<T>(items: readonly T[]): T;
  /** True with probability p. */
  chance(p: number): boolean;
}

export function seededRandom(seed: number): Random {
  const pcg = new Pcg32(BigInt(seed), STREAM);
  const next = (): number => pcg.nextUint32() / 2 ** 32;
  const integer = (low: number, high: number): number => low + pcg.nextBelow(high - low + 1);
  return {
    integer,
    next,
    pick: <T>(items: readonly T[]): T => items[integer(0, items.length - 1)] as T,
    chance: (p) => next() < p,
  };
}

/** FNV-1a over UTF-16 code units, then murmur3's finaliser: 32 well-mixed bits of a short text. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
