/**
 * Best-fit decreasing bin packing, TRL's `packing: true` (strategy "bfd"; Ding et al. 2024, "Fewer truncations improve language
 * modeling"): the longest example first, each into the fullest bin that still has room for it, the oldest of those.
 *
 * A bin is a row of the batch. Its examples do not see each other: each is computed from position 0 with its own attention.
 */
export function packBestFit(lengths: readonly number[], capacity: number): number[][] {
  const order = lengths.map((_, i) => i).sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  const bins: number[][] = [];
  const bySpace: number[][] = Array.from({ length: capacity + 1 }, () => []);
  const open = new SmallestAtLeast(capacity + 1);
  for (const index of order) {
    const length = lengths[index]!;
    const space = open.find(length);
    const bin = space === undefined ? bins.push([]) - 1 : bySpace[space]!.shift()!;
    if (space !== undefined && bySpace[space]!.length === 0) open.set(space, false);
    bins[bin]!.push(index);
    const left = (space ?? capacity) - length;
    bySpace[left]!.push(bin);
    open.set(left, true);
  }
  return bins;
}

/** A set of whole numbers below `size` that finds its smallest element ≥ x in O(log size): a binary tree of "has any". */
class SmallestAtLeast {
  readonly #leaves: number;
  readonly #any: Uint8Array;

  constructor(size: number) {
    this.#leaves = 2 ** Math.ceil(Math.log2(Math.max(2, size)));
    this.#any = new Uint8Array(2 * this.#leaves);
  }

  set(value: number, present: boolean): void {
    const any = this.#any;
    let node = this.#leaves + value;
    any[node] = present ? 1 : 0;
    for (node >>= 1; node >= 1; node >>= 1) any[node] = any[2 * node]! | any[2 * node + 1]!;
  }

  find(value: number): number | undefined {
    if (value >= this.#leaves) return undefined;
    const any = this.#any;
    let node = this.#leaves + value;
    // Up and to the right until a subtree holds something, then down to its leftmost element.
    while (any[node] === 0) {
      while (node % 2 === 1) node >>= 1;
      if (node === 0) return undefined;
      node += 1;
    }
    while (node < this.#leaves) node = any[2 * node] === 1 ? 2 * node : 2 * node + 1;
    return node - this.#leaves;
  }
}
