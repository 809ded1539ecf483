/**
 * What the loss makes of the tokens' entropies: which tokens it keeps (top_entropy_quantile; arXiv 2506.01939: the few where the model
 * decides carry the gain), and a bonus for entropy itself (entropy_coef). As TRL, both go by micro-batches.
 */

export interface EntropyOptions {
  entropy_coef: number;
  top_entropy_quantile: number;
}

/** Of one completion. */
export interface EntropyTerm {
  /** Per token, whether it stays in the loss; null: all do. */
  keep: boolean[] | null;
  /** Of each kept token's entropy in the step's loss, which it lowers. */
  bonus: number;
}

export interface EntropyShape {
  /** Completions over which the bonus is averaged, and over which the quantile is taken. */
  perMicroBatch: number;
  perQuantile: number;
}

export const usesEntropy = (options: EntropyOptions): boolean =>
  options.entropy_coef !== 0 || options.top_entropy_quantile < 1;

/** @param entropies per completion and token; none of a completion that is left out of the loss */
export function entropyTerms(
  entropies: readonly (readonly number[])[],
  options: EntropyOptions,
  shape: EntropyShape,
): EntropyTerm[] {
  const keep = inBlocks(entropies, shape.perQuantile).flatMap((block) => mostUncertain(block, options));
  const batches = inBlocks(keep, shape.perMicroBatch);
  const bonuses = batches.flatMap((batch) => {
    const kept = batch.flat().filter(Boolean).length;
    return batch.map(() => options.entropy_coef / Math.max(1, kept) / batches.length);
  });
  return keep.map((flags, i) => ({ keep: flags.every(Boolean) ? null : flags, bonus: bonuses[i]! }));
}

function mostUncertain(block: readonly (readonly number[])[], options: EntropyOptions): boolean[][] {
  if (options.top_entropy_quantile >= 1) return block.map((row) => row.map(() => true));
  const threshold = quantile(block.flat(), 1 - options.top_entropy_quantile);
  return block.map((row) => row.map((entropy) => Math.fround(entropy) >= threshold));
}

/** torch.quantile in float32, linear between two values. */
function quantile(values: readonly number[], q: number): number {
  const sorted = Float32Array.from(values).sort();
  const rank = Math.fround(Math.fround(q) * (sorted.length - 1));
  const below = sorted[Math.floor(rank)] ?? 0;
  const above = sorted[Math.ceil(rank)] ?? 0;
  const weight = Math.fround(rank - Math.floor(rank));
  const gap = Math.fround(above - below);
  return weight < 0.5 ? Math.fround(below + weight * gap) : Math.fround(above - gap * Math.fround(1 - weight));
}

function inBlocks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
