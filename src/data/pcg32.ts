/**
 * PCG-XSH-RR 64/32, a small random number generator with a published reference output.
 * (M. O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms", 2014, pcg-random.org)
 * BigInt arithmetic: about a microsecond per number, and a shuffle needs one per row.
 */
const MULTIPLIER = 6364136223846793005n;
const MASK_64 = (1n << 64n) - 1n;
const MASK_32 = 0xffffffffn;

export class Pcg32 {
  #state = 0n;
  readonly #increment: bigint;

  /** @param seed starting point, 64 bits @param stream which of 2⁶³ sequences */
  constructor(seed: bigint, stream: bigint) {
    this.#increment = ((stream << 1n) | 1n) & MASK_64;
    this.nextUint32();
    this.#state = (this.#state + seed) & MASK_64;
    this.nextUint32();
  }

  /** Uniform in [0, 2³²). */
  nextUint32(): number {
    const old = this.#state;
    this.#state = (old * MULTIPLIER + this.#increment) & MASK_64;
    const shifted = (((old >> 18n) ^ old) >> 27n) & MASK_32;
    const rotation = old >> 59n;
    return Number(((shifted >> rotation) | (shifted << (-rotation & 31n))) & MASK_32);
  }

  /** Uniform in [0, bound), without the bias of a plain remainder. */
  nextBelow(bound: number): number {
    const threshold = (2 ** 32 - bound) % bound;
    for (;;) {
      const value = this.nextUint32();
      if (value >= threshold) return value % bound;
    }
  }
}

/** A random order of 0 … size − 1 (Fisher–Yates). */
export function permutation(size: number, random: Pcg32): number[] {
  const order = Array.from({ length: size }, (_, i) => i);
  for (let i = size - 1; i > 0; i--) {
    const j = random.nextBelow(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
