/**
 * The order in which a run sees its prompts: every prompt once per epoch, shuffled anew for each from (seed, epoch)
 * alone. So the whole state is a few numbers, and a run that resumes from them goes on exactly.
 */
import { createHash } from "node:crypto";
import { UserError } from "../errors.js";
import { Pcg32, permutation } from "./pcg32.js";
import type { Prompt } from "./types.js";

/** JSON. */
export interface SamplerState {
  seed: number;
  shuffle: boolean;
  size: number;
  /** Of the prompts' tokens, in order: a resumed run must see the same ones. */
  fingerprint: string;
  /** Epochs completed. */
  epoch: number;
  /** Prompts given out of the current epoch. */
  position: number;
}

export class PromptSampler {
  readonly #fingerprint: string;
  #epoch = 0;
  #position = 0;
  #order: number[];

  constructor(
    private readonly prompts: readonly Prompt[],
    private readonly options: { seed: number; shuffle?: boolean },
  ) {
    if (prompts.length === 0) throw new UserError("there are no prompts to train on");
    this.#fingerprint = fingerprintOf(prompts);
    this.#order = this.#orderOf(0);
  }

  get size(): number {
    return this.prompts.length;
  }

  /** Epochs begun or done, with fraction: 1.5 is half way through the second. */
  get epoch(): number {
    return this.#epoch + this.#position / this.prompts.length;
  }

  /** The next n prompts; goes on into further epochs, so a prompt can come twice when n reaches over an end. */
  next(n: number): Prompt[] {
    const chosen: Prompt[] = [];
    while (chosen.length < n) {
      if (this.#position === this.prompts.length) this.#begin(this.#epoch + 1);
      chosen.push(this.prompts[this.#order[this.#position]]);
      this.#position += 1;
    }
    return chosen;
  }

  state(): SamplerState {
    return {
      seed: this.options.seed,
      shuffle: this.options.shuffle ?? true,
      size: this.prompts.length,
      fingerprint: this.#fingerprint,
      epoch: this.#epoch,
      position: this.#position,
    };
  }

  /** Goes on where `state` was taken. @throws UserError when prompts, seed or shuffle are not those of that run */
  restore(state: SamplerState): void {
    const own = this.state();
    const changed = (["size", "fingerprint", "seed", "shuffle"] as const).find((key) => state[key] !== own[key]);
    if (changed !== undefined) {
      const what = changed === "fingerprint" ? "the prompts have" : `${changed} has`;
      throw new UserError(
        `${what} changed since the checkpoint (${String(state[changed])} then, ${String(own[changed])} now): ` +
          `resume with the same dataset, prompt settings, tokenizer and seed, or start a new run in another output_dir`,
      );
    }
    this.#begin(state.epoch);
    this.#position = state.position;
  }

  #begin(epoch: number): void {
    this.#epoch = epoch;
    this.#position = 0;
    this.#order = this.#orderOf(epoch);
  }

  #orderOf(epoch: number): number[] {
    const { seed, shuffle = true } = this.options;
    const size = this.prompts.length;
    if (!shuffle) return Array.from({ length: size }, (_, i) => i);
    return permutation(size, new Pcg32(mix64(BigInt(seed), BigInt(epoch)), 54n));
  }
}

/** SplitMix64's step (Steele, Lea, Flood 2014) over seed and epoch, so that near pairs give unrelated orders. */
function mix64(seed: bigint, epoch: bigint): bigint {
  return mixStep(BigInt.asUintN(64, mixStep(BigInt.asUintN(64, seed)) + epoch));
}

function mixStep(value: bigint): bigint {
  let z = BigInt.asUintN(64, value + 0x9e3779b97f4a7c15n);
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return z ^ (z >> 31n);
}

function fingerprintOf(prompts: readonly Prompt[]): string {
  const hash = createHash("sha256");
  for (const { ids } of prompts) hash.update(`${ids.length}:`).update(Int32Array.from(ids));
  return hash.digest("hex").slice(0, 16);
}
