/**
 * How sequences share forward passes. A pass takes its tokens packed, one sequence after the other: the linear layers, nearly all of
 * the work, see no padding. Only attention looks at one sequence at a time, and there like lengths form a block of equal rows.
 */
export interface MicroBatchOptions {
  /** Most tokens of a pass; a longer sequence has one of its own. */
  maxTokens: number;
}

/**
 * Indices of the sequences by pass: as few passes as the budget allows, like lengths together, the passes about equally large.
 * A function of the lengths only.
 */
export function planMicroBatches(lengths: readonly number[], { maxTokens }: MicroBatchOptions): number[][] {
  return cut(byLength(lengths), maxTokens, (i) => lengths[i]!);
}

/**
 * The same for trees: sequences that begin with the same tokens, which a pass takes once however many of the tree it holds. Trees stay
 * together where they can.
 */
export function planTreeBatches(trees: readonly Tree[], { maxTokens }: MicroBatchOptions): number[][] {
  const place = new Map(trees.flatMap((tree) => tree.members.map(({ index, own }) => [index, { tree, own }] as const)));
  return cut([...place.keys()], maxTokens, (i, before) => {
    const { tree, own } = place.get(i)!;
    return before !== undefined && place.get(before)!.tree === tree ? own : tree.shared + own;
  });
}

/** Sequences that have their first `shared` tokens in common; `own` tokens of each follow. */
export interface Tree {
  shared: number;
  members: { index: number; own: number }[];
}

/** Cuts an order of sequences into passes; `costOf` a sequence in the pass that `before` is the last one of. */
function cut(order: readonly number[], maxTokens: number, costOf: (i: number, before?: number) => number): number[][] {
  const total = order.reduce((sum, i, n) => sum + costOf(i, order[n - 1]), 0);
  const share = total / Math.ceil(total / maxTokens);
  const batches: number[][] = [];
  let open: number[] = [];
  let tokens = 0;
  let before = 0;
  for (const [n, i] of order.entries()) {
    const length = costOf(i, open.at(-1));
    // The sequence in which an even share ends belongs to the pass that holds the greater part of it.
    const full = tokens > 0 && before + length / 2 > share * (batches.length + 1);
    if (open.length > 0 && (full || tokens + length > maxTokens)) {
      batches.push(open);
      open = [];
      tokens = 0;
    }
    tokens += costOf(i, open.at(-1));
    open.push(i);
    before += costOf(i, order[n - 1]);
  }
  if (open.length > 0) batches.push(open);
  return batches;
}

/**
 * Indices of the sequences by block: neighbours in order of length, split where Σ (rows × longest + overhead) is least (exact, by
 * dynamic programming). `overhead`: what a block costs besides its tokens, in tokens.
 */
export function planBlocks(lengths: readonly number[], overhead: number): number[][] {
  const order = byLength(lengths);
  // cost[n]: of the n shortest; start[n]: where the last block of the best split begins.
  const cost = [0];
  const start = [0];
  for (let end = 1; end <= order.length; end++) {
    const longest = lengths[order[end - 1]!]!;
    cost[end] = Number.POSITIVE_INFINITY;
    for (let begin = end - 1; begin >= 0; begin--) {
      const total = cost[begin]! + (end - begin) * longest + overhead;
      if (total >= cost[end]!) continue;
      cost[end] = total;
      start[end] = begin;
    }
  }
  const blocks: number[][] = [];
  for (let end = order.length; end > 0; end = start[end]!) blocks.unshift(order.slice(start[end], end));
  return blocks;
}

const byLength = (lengths: readonly number[]): number[] =>
  lengths.map((_, i) => i).sort((a, b) => lengths[a]! - lengths[b]! || a - b);
