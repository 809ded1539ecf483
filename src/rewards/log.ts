/** What rewards say beside their scores (TRL's log_metric and log_extra): numbers for metrics.jsonl, columns for the completions' rows. */

/** Of one call of a reward. */
export interface Logged {
  metrics: [name: string, value: number][];
  /** A value, or from a reward over the whole batch one per completion. */
  extras: [column: string, value: unknown][];
}

/** The two functions a reward gets, and what they were told. */
export interface Recorder {
  log_metric(name: string, value: number): void;
  log_extra(column: string, value: unknown): void;
  logged: Logged;
}

/** @param size completions of a reward over the whole batch; null: the call is about one */
export function recorder(size: number | null): Recorder {
  const logged: Logged = { metrics: [], extras: [] };
  const log_metric = (name: string, value: number): void => {
    if (!Number.isFinite(value)) throw new TypeError(`log_metric("${name}", ${String(value)}): give a finite number`);
    logged.metrics.push([name, value]);
  };
  const log_extra = (column: string, value: unknown): void => {
    const count = Array.isArray(value) ? value.length : "no list of";
    if (size !== null && count !== size)
      throw new TypeError(`log_extra("${column}", …): ${count} values for ${size} completions`);
    logged.extras.push([column, value]);
  };
  return { log_metric, log_extra, logged };
}

/** What the rewards of a batch logged, in the rewards' and the completions' order, whatever order they answered in. */
export class RewardLog {
  /** By name, in order. */
  readonly metrics = new Map<string, number[]>();
  /** Per completion. */
  readonly extras: Record<string, unknown>[];

  constructor(readonly size: number) {
    this.extras = Array.from({ length: size }, () => ({}));
  }

  /** Of a call about the completion at `index`, or about all of them (null). */
  add({ metrics, extras }: Logged, index: number | null): void {
    for (const [name, value] of metrics) this.#metric(name, value);
    for (const [column, value] of extras) {
      if (index !== null) this.extras[index]![column] = value;
      else for (const [i, each] of (value as unknown[]).entries()) this.extras[i]![column] = each;
    }
  }

  /** Another reward's, of the same completions. */
  merge(other: RewardLog): void {
    for (const [name, values] of other.metrics) for (const value of values) this.#metric(name, value);
    for (const [i, columns] of other.extras.entries()) Object.assign(this.extras[i]!, columns);
  }

  #metric(name: string, value: number): void {
    const values = this.metrics.get(name);
    if (values) values.push(value);
    else this.metrics.set(name, [value]);
  }
}
