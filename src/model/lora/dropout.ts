/** Seeds of dropout masks that can be drawn again: by run, step, forward pass and place, not by what was drawn before. */
import { getRngState, manualSeed, setRngState } from "../../torch/index.js";

export class DropoutSeeds {
  #seed: number | undefined;
  #forward = 0;

  get active(): boolean {
    return this.#seed !== undefined;
  }

  /** Runs `body` with these seeds and then puts the random state back. */
  during<T>(seed: readonly number[], device: string, body: () => T): T {
    const [cpu, own] = [getRngState(), device === "cpu" ? undefined : getRngState(device)];
    this.#seed = seed.reduce(mix, 0);
    this.#forward = 0;
    try {
      return body();
    } finally {
      this.#seed = undefined;
      setRngState(cpu);
      if (own) setRngState(own, device);
    }
  }

  next(): void {
    this.#forward++;
  }

  /** Seeds the generators for the mask at `place` of the current forward pass. */
  seedFor(place: string): void {
    const start = mix(this.#seed ?? 0, this.#forward);
    manualSeed(Array.from(place, (c) => c.charCodeAt(0)).reduce(mix, start));
  }
}

/** A step of MurmurHash3 (Appleby, public domain) with its final mixing, in 32 bits. */
function mix(hash: number, value: number): number {
  let h = Math.imul(hash ^ value, 0xcc9e2d51);
  h = Math.imul(h ^ (h >>> 15), 0x1b873593);
  return (h ^ (h >>> 13)) >>> 0;
}
