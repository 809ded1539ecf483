import type { MetricsLog, MetricsRow } from "../run/metrics.js";
import { isDue } from "./intervals.js";

export interface LoggingKeys {
  logging_steps: number;
  logging_first_step: boolean;
}

/** Fields of which the last value is meant, not the mean. */
const LATEST: ReadonlySet<string> = new Set(["step", "epoch", "num_tokens", "learning_rate", "timestamp", "elapsed"]);

/** Means over several rows; of step, epoch and counters the last. A field that some rows lack or have as NaN is averaged over the others. */
export function averageRows(rows: readonly MetricsRow[]): MetricsRow {
  const last = rows[rows.length - 1]!;
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const averaged = keys.map((key): [string, MetricsRow[string]] => {
    const values = rows.map((row) => row[key]).filter((value) => typeof value === "number");
    if (LATEST.has(key) || values.length === 0) return [key, last[key] ?? null];
    const known = values.filter((value) => !Number.isNaN(value));
    return [key, known.reduce((a, b) => a + b, 0) / known.length];
  });
  return { ...Object.fromEntries(averaged), step: last.step };
}

/** Writes a row to metrics.jsonl every logging_steps steps and at the end: the mean of the steps since the last one. */
export class MetricsRows {
  #unlogged: MetricsRow[];

  constructor(
    private readonly log: MetricsLog,
    private readonly keys: LoggingKeys,
    private readonly totalSteps: number,
    unlogged: readonly MetricsRow[] = [],
  ) {
    this.#unlogged = [...unlogged];
  }

  /** Steps since the last row; a checkpoint keeps them, so that a resumed run writes the same means. */
  get unlogged(): readonly MetricsRow[] {
    return this.#unlogged;
  }

  /** @returns whether a row was written */
  add(row: MetricsRow): boolean {
    this.#unlogged.push(row);
    const { logging_steps, logging_first_step } = this.keys;
    const due = isDue(row.step, logging_steps, this.totalSteps) || row.step === this.totalSteps;
    if (!due && !(logging_first_step && row.step === 1)) return false;
    this.log.append(averageRows(this.#unlogged));
    this.#unlogged = [];
    return true;
  }
}
