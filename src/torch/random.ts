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
