/** Padded tokens of one forward and backward pass; what it holds in activations grows with it. */
export const TOKENS_PER_MICRO_BATCH = 16_384;

/**
 * Cuts items into micro-batches of at most `budget` padded tokens (rows × longest row), like lengths together, so that little is
 * padded. Returns indices; an item longer than the budget stands alone. The order is a function of the lengths only.
 */
export function microBatches(lengths: readonly number[], budget: number): number[][] {
  const order = lengths.map((_, i) => i).sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  const batches: number[][] = [];
  let open: number[] = [];
  for (const i of order) {
    const longest = open.length > 0 ? lengths[open[0]!]! : lengths[i]!;
    if (open.length > 0 && (open.length + 1) * longest > budget) {
      batches.push(open);
      open = [];
    }
    open.push(i);
  }
  if (open.length > 0) batches.push(open);
  return batches;
}
