import type { Group, Sequence } from "./sequence.js";

/** Members of one group that start together: they share the prefill of their prompt. */
export interface Admission {
  group: Group;
  sequences: Sequence[];
}

/**
 * Which sequences run. Holds no tensors: row i of the batch is `running[i]`, and the cache follows what `compact` says.
 * First come, first served; a group may start in parts when fewer rows are free than it has members.
 */
export class Scheduler {
  readonly running: Sequence[] = [];
  #waiting: Sequence[];

  constructor(
    groups: readonly Group[],
    private readonly maxRows: number,
  ) {
    this.#waiting = groups.flatMap((group) => group.sequences);
  }

  get done(): boolean {
    return this.running.length === 0 && this.#waiting.length === 0;
  }

  /** Whether members of this group still wait: then its prefill is kept for them. */
  hasWaiting(group: Group): boolean {
    return this.#waiting[0]?.group === group;
  }

  /** Moves waiting sequences into free rows, at the end of the batch, up to `maxTokens` of prompt to prefill (one group at least). */
  admit(maxTokens: number): Admission[] {
    const free = this.maxRows - this.running.length;
    const starting = this.#waiting.slice(0, free);
    const admissions: Admission[] = [];
    let tokens = 0;
    let taken = 0;
    for (const sequence of starting) {
      const last = admissions.at(-1);
      if (last?.group === sequence.group) last.sequences.push(sequence);
      else {
        tokens += sequence.group.promptIds.length;
        if (admissions.length > 0 && tokens > maxTokens) break;
        admissions.push({ group: sequence.group, sequences: [sequence] });
      }
      taken++;
    }
    this.#waiting = this.#waiting.slice(taken);
    for (const { sequences } of admissions) this.running.push(...sequences);
    return admissions;
  }

  /** Ends everything, also what never started; returns what was ended. */
  abort(): Sequence[] {
    const ended = [...this.running, ...this.#waiting];
    for (const sequence of ended) sequence.stopReason = "length";
    this.running.length = 0;
    this.#waiting = [];
    return ended;
  }

  /**
   * Drops finished sequences: the last ones that go on take their rows, so that little moves. Returns those moves and how many rows
   * are left, or null when nothing finished.
   */
  compact(): { moves: [from: number, to: number][]; rows: number } | null {
    const { running } = this;
    const left = running.filter(({ stopReason }) => !stopReason).length;
    if (left === running.length) return null;
    const moves: [number, number][] = [];
    let from = running.length;
    for (let to = 0; to < left; to++) {
      if (!running[to]!.stopReason) continue;
      do from--;
      while (running[from]!.stopReason);
      running[to] = running[from]!;
      moves.push([from, to]);
    }
    running.length = left;
    return { moves, rows: left };
  }
}
