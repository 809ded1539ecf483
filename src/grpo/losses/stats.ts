/** Metrics that can be merged exactly over micro-batches of any size: a mean keeps its sum and count. */
export type Stat =
  | { kind: "mean"; sum: number; count: number }
  | { kind: "min"; value: number }
  | { kind: "max"; value: number };

export type Stats = Record<string, Stat>;

export function mean(values: ArrayLike<number>): Stat {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return { kind: "mean", sum, count: values.length };
}

/** Of no values: the neutral infinity, which `report` leaves out. */
export function min(values: readonly number[]): Stat {
  return { kind: "min", value: values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY) };
}

export function max(values: readonly number[]): Stat {
  return { kind: "max", value: values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY) };
}

export function mergeStats(parts: readonly Stats[]): Stats {
  const merged: Stats = {};
  for (const [name, stat] of parts.flatMap((part) => Object.entries(part))) {
    const before = merged[name];
    merged[name] = before === undefined ? stat : merge(name, before, stat);
  }
  return merged;
}

function merge(name: string, a: Stat, b: Stat): Stat {
  if (a.kind === "mean" && b.kind === "mean") return { kind: "mean", sum: a.sum + b.sum, count: a.count + b.count };
  if (a.kind === "min" && b.kind === "min") return { kind: "min", value: Math.min(a.value, b.value) };
  if (a.kind === "max" && b.kind === "max") return { kind: "max", value: Math.max(a.value, b.value) };
  throw new Error(`broken invariant: metric ${name} is a ${a.kind} and a ${b.kind}`);
}

/** The metrics as numbers. The mean of nothing is 0 (as TRL has it); the least or greatest of nothing is left out. */
export function report(stats: Stats): Record<string, number> {
  const entries = Object.entries(stats).map(([name, stat]): [string, number] => [
    name,
    stat.kind === "mean" ? stat.sum / Math.max(1, stat.count) : stat.value,
  ]);
  return Object.fromEntries(entries.filter(([, value]) => !(value === Infinity || value === -Infinity)));
}
