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
  const order = byLength(lengths);
  const sorted = order.map((i) => lengths[i]!);
  return cut(sorted, maxTokens).map((places) => places.map((place) => order[place]!));
}

/** Sequences that have their first `shared` tokens in common, which a pass takes once; `own` tokens of each follow. */
export interface Tree {
  shared: number;
  members: { index: number; own: number }[];
}

/** The same for trees, in their order. They stay whole but for those that a pass has no room for. */
export function planTreeBatches(trees: readonly Tree[], { maxTokens }: MicroBatchOptions): number[][] {
  const pieces = trees.flatMap((tree) => piecesOf(tree, maxTokens));
  const lengths = pieces.map(({ shared, members }) => members.reduce((sum, { own }) => sum + own, shared));
  return cut(lengths, maxTokens).map((places) =>
    places.flatMap((place) => pieces[place]!.members.map(({ index }) => index)),
  );
}

/** The tree itself if it fits, or as few parts of about the same size as do; each has the root. */
function piecesOf({ shared, members }: Tree, maxTokens: number): Tree[] {
  const room = Math.max(1, maxTokens - shared);
  return cut(
    members.map(({ own }) => own),
    room,
  ).map((places) => ({ shared, members: places.map((place) => members[place]!) }));
}

/** Cuts a row of lengths into parts of at most `maxTokens` (or one length), about equally large. Returns the places in each. */
function cut(lengths: readonly number[], maxTokens: number): number[][] {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const share = total / Math.ceil(total / maxTokens);
  const parts: number[][] = [];
  let open: number[] = [];
  let tokens = 0;
  let before = 0;
  for (const [place, length] of lengths.entries()) {
    // The sequence in which an even share ends belongs to the part that holds the greater part of it.
    const full = tokens > 0 && before + length / 2 > share * (parts.length + 1);
    if (open.length > 0 && (full || tokens + length > maxTokens)) {
      parts.push(open);
      open = [];
      tokens = 0;
    }
    open.push(place);
    tokens += length;
    before += length;
  }
  if (open.length > 0) parts.push(open);
  return parts;
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
