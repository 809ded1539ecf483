/** Bounds on the work for one answer. Past any of them the verdict is `undecided`, never a hang. */
export interface Limits {
  /** Characters of a completion that are looked at, from its end: that is where answers stand. */
  text: number;
  /** Characters of an answer that are parsed at all. */
  length: number;
  /** Nesting of groups, functions and powers. */
  depth: number;
  /** Nodes of one parsed answer. */
  nodes: number;
  /** Digits of one number literal. */
  digits: number;
  /** Elementary steps of comparison (one node evaluated at one point, one pair of set elements, …). */
  steps: number;
}

export const defaultLimits: Limits = {
  text: 131_072,
  length: 2_500,
  depth: 60,
  nodes: 1_000,
  digits: 2_000,
  steps: 60_000,
};

/** Thrown inside the room when a limit is passed; `verify` and `parse` turn it into `undecided`. */
export class LimitReached extends Error {
  override name = "LimitReached";
  constructor(readonly limit: keyof Limits) {
    super(`answer passes the limit on ${limit}`);
  }
}

/** Counts steps against a limit. One budget serves one verdict, so that the same inputs always get the same one. */
export class Budget {
  private left: number;
  constructor(readonly limits: Limits = defaultLimits) {
    this.left = limits.steps;
  }
  spend(steps = 1): void {
    this.left -= steps;
    if (this.left < 0) throw new LimitReached("steps");
  }
  get spent(): number {
    return this.limits.steps - Math.max(this.left, 0);
  }
}
