/** Two ways to the same result in turn, and what they took. Used by bench/operators.ts, one process per instruction set. */
import { scope } from "../../src/torch/index.js";

export interface Row {
  operator: string;
  what: string;
  /** Milliseconds of the quickest round: whatever else the machine does only adds to it. */
  ours: number;
  theirs: number;
  /** Whether ours runs on this processor at all. */
  chosen: boolean;
}

const MIN_MS = 0.5;

/** How often a way has to run to be measured well. */
function repetitions(way: () => void): number {
  const start = performance.now();
  scope(way);
  return Math.max(1, Math.ceil(MIN_MS / Math.max(1e-4, performance.now() - start)));
}

/** The quickest of `rounds` each; as many again, at most three times, while ours look slower: a disturbance must not decide. */
export function pair(ours: () => void, theirs: () => void, rounds: number): [number, number] {
  const ways = [ours, theirs];
  for (const way of ways) scope(way);
  const times = ways.map(repetitions);
  const best = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY] as [number, number];
  for (let round = 0; round < 4 * rounds; round++) {
    if (round >= rounds && best[1] / best[0] >= 1) break;
    ways.forEach((way, i) => {
      const start = performance.now();
      for (let n = 0; n < times[i]!; n++) scope(way);
      best[i] = Math.min(best[i]!, (performance.now() - start) / times[i]!);
    });
  }
  return best;
}
