/**
 * Which sequences share a padded forward pass. The sum of gradients does not depend on it, the time does: every row of a micro-batch
 * is padded to its longest, and every micro-batch has a fixed cost of its own.
 */
export interface MicroBatchOptions {
  /** Largest rows × longest of a micro-batch; a longer sequence has one of its own. */
  maxTokens: number;
  /** What a micro-batch costs besides its tokens, in tokens. */
  overhead: number;
}

/**
 * Indices of the sequences by micro-batch: neighbours in order of length, split where Σ (rows × longest + overhead) is least
 * (exact, by dynamic programming). The same lengths give the same split.
 */
export function planMicroBatches(lengths: readonly number[], { maxTokens, overhead }: MicroBatchOptions): number[][] {
  const order = lengths.map((_, i) => i).sort((a, b) => lengths[a]! - lengths[b]! || a - b);
  // cost[n]: of the n shortest; start[n]: where the last micro-batch of the best split begins.
  const cost = [0];
  const start = [0];
  for (let end = 1; end <= order.length; end++) {
    const longest = lengths[order[end - 1]!]!;
    cost[end] = Number.POSITIVE_INFINITY;
    for (let begin = end - 1; begin >= 0; begin--) {
      const tokens = (end - begin) * longest;
      if (tokens > maxTokens && begin < end - 1) break;
      const total = cost[begin]! + tokens + overhead;
      if (total >= cost[end]!) continue;
      cost[end] = total;
      start[end] = begin;
    }
  }
  const batches: number[][] = [];
  for (let end = order.length; end > 0; end = start[end]!) batches.unshift(order.slice(start[end], end));
  return batches;
}
