import { native } from "./native.js";
import { type Tensor, wrapOptional } from "./tensor.js";

/** Runs `body` without recording gradients (synchronous). */
export function noGrad<T>(body: () => T): T {
  return withGradMode(false, body);
}

/** Runs `body` with gradients recorded, also inside `noGrad`. */
export function enableGrad<T>(body: () => T): T {
  return withGradMode(true, body);
}

let recording = true;

/** Whether gradients are recorded: outside `noGrad`. */
export const gradEnabled = (): boolean => recording;

function withGradMode<T>(on: boolean, body: () => T): T {
  const before = native.setGradMode(on);
  recording = on;
  try {
    return body();
  } finally {
    native.setGradMode(before);
    recording = before;
  }
}

/** Accumulates gradients of `tensor` into the leaves it was computed from. */
export function backward(tensor: Tensor, gradient?: Tensor): void {
  tensor.backward(gradient);
}

/** The gradients of `output` with respect to `inputs`, without touching `.grad`; null where an input was not used. */
export function gradients(output: Tensor, inputs: readonly Tensor[], outputGradient?: Tensor): (Tensor | null)[] {
  const handles = inputs.map((input) => input.handle);
  return native.gradients([output.handle], handles, outputGradient ? [outputGradient.handle] : []).map(wrapOptional);
}
