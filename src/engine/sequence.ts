import type { Completion, StopReason } from "./types.js";

/** The G completions of one prompt. Plain data: tensors live in the cache. */
export interface Group {
  /** Which prompt of the call. */
  prompt: number;
  promptIds: readonly number[];
  sequences: Sequence[];
}

/** One completion in the making. */
export class Sequence {
  readonly ids: number[] = [];
  readonly samplingLogprobs: number[] = [];
  readonly logprobs: number[] = [];
  stopReason: StopReason | null = null;
  text = "";

  constructor(
    readonly group: Group,
    /** Which completion of its group. */
    readonly index: number,
  ) {}

  /** Tokens in the cache plus the newest, which is not in it yet. */
  get length(): number {
    return this.group.promptIds.length + this.ids.length;
  }

  append(id: number, samplingLogprob: number, logprob: number): void {
    this.ids.push(id);
    this.samplingLogprobs.push(samplingLogprob);
    this.logprobs.push(logprob);
  }

  finished(): Completion {
    const { ids, text, samplingLogprobs, logprobs, stopReason } = this;
    if (!stopReason) throw new Error("broken invariant: an unfinished sequence");
    return { ids, text, samplingLogprobs, logprobs, stopReason };
  }
}
