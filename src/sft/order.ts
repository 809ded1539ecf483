import { Pcg32, permutation } from "../data/pcg32.js";

export interface OrderOptions {
  /** Rows in the dataset. */
  size: number;
  /** Rows per optimizer step; the last step of an epoch takes what is left, as in transformers. */
  batch: number;
  seed: number;
  shuffle: boolean;
}

/** Which rows a step learns from: a function of the seed and the step alone, so a resumed run needs no state. */
export class EpochOrder {
  readonly stepsPerEpoch: number;
  #epoch = -1;
  #order: number[] = [];

  constructor(private readonly options: OrderOptions) {
    this.stepsPerEpoch = Math.ceil(options.size / options.batch);
  }

  /** Row indices of the step after `stepsDone`. */
  rows(stepsDone: number): number[] {
    const { batch } = this.options;
    const epoch = Math.floor(stepsDone / this.stepsPerEpoch);
    if (epoch !== this.#epoch) this.#begin(epoch);
    const start = (stepsDone % this.stepsPerEpoch) * batch;
    return this.#order.slice(start, start + batch);
  }

  /** Passes over the dataset after `stepsDone` steps. */
  epochAfter(stepsDone: number): number {
    return stepsDone / this.stepsPerEpoch;
  }

  #begin(epoch: number): void {
    const { size, seed, shuffle } = this.options;
    this.#epoch = epoch;
    this.#order = shuffle
      ? permutation(size, new Pcg32(BigInt(seed), BigInt(epoch)))
      : Array.from({ length: size }, (_, i) => i);
  }
}
