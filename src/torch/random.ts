import { native } from "./native.js";
import { Tensor, wrap } from "./tensor.js";

/** Seeds the default generator of every device. */
export function manualSeed(seed: number): void {
  native.manualSeed(seed);
}

/** The whole state of a device's default generator, as bytes. */
export function getRngState(device = "cpu"): Uint8Array {
  const state = wrap(native.getRngState(device));
  const bytes = state.toTypedArray() as Uint8Array;
  state.dispose();
  return bytes;
}

/** Puts back a state that `getRngState` gave. */
export function setRngState(bytes: Uint8Array, device = "cpu"): void {
  const state = new Tensor(native.fromBytes(bytes, 0, [bytes.length]));
  try {
    native.setRngState(device, state.handle);
  } finally {
    state.dispose();
  }
}

/** Runs `body` with the default generators seeded by `seed`, and puts those of the CPU and of `device` back as they were. */
export function withSeed<T>(seed: number, device: string, body: () => T): T {
  const states = ["cpu", ...(device === "cpu" ? [] : [device])].map((name) => [name, getRngState(name)] as const);
  manualSeed(seed);
  try {
    return body();
  } finally {
    for (const [name, state] of states) setRngState(state, name);
  }
}
