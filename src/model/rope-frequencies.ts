/** The frequencies of a rotary embedding, one per pair of dimensions, in the float32 rounding steps in which transformers computes them. */
import { callTensorOp, scope, tensor } from "../torch/index.js";
import type { Llama3Scaling, RopeConfig, YarnScaling } from "./rope-config.js";

/** `dims`: how many of a head's dimensions turn. */
export function inverseFrequencies(rope: Pick<RopeConfig, "theta" | "scaling">, dims: number): Float32Array {
  const { theta, scaling } = rope;
  const powers = scope(() => {
    const exponents = tensor(Array.from({ length: dims / 2 }, (_, i) => Math.fround((2 * i) / dims)));
    return Float32Array.from(callTensorOp("aten::pow", "Scalar", theta, exponents).toArray());
  });
  const plain = powers.map((power) => 1 / power);
  switch (scaling?.type) {
    case undefined:
      return plain;
    case "none":
      return plain.fill(0);
    case "longrope":
      return powers.map((power, i) => 1 / Math.fround(Math.fround(scaling.factors[i]!) * power));
    case "linear":
      return plain.map((frequency) => frequency / scaling.factor);
    case "llama3":
      return llama3(plain, scaling);
    case "yarn":
      return yarn(powers, scaling, theta);
  }
}

/** Long wavelengths are slowed by `factor`, short ones kept, those between interpolated. */
function llama3(frequencies: Float32Array, scaling: Llama3Scaling): Float32Array {
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = scaling;
  return frequencies.map((frequency) => {
    const wavelength = (2 * Math.PI) / frequency;
    if (wavelength < originalMaxPositions / highFreqFactor) return frequency;
    if (wavelength > originalMaxPositions / lowFreqFactor) return frequency / factor;
    const smooth = (originalMaxPositions / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
    return ((1 - smooth) * frequency) / factor + smooth * frequency;
  });
}

/** From kept to interpolated along a ramp of dimensions. `powers` are the inverses of the plain frequencies. */
function yarn(powers: Float32Array, scaling: YarnScaling, theta: number): Float32Array {
  const { fround } = Math;
  const dims = 2 * powers.length;
  const [low, high] = rampOf(scaling, theta, dims);
  return powers.map((power, i) => {
    const ramp = fround(fround(i - low) / fround(high - low));
    const kept = fround(1 - Math.min(1, Math.max(0, ramp)));
    const [whole, slowed] = [fround(1 / power), fround(1 / fround(scaling.factor * power))];
    return fround(slowed * fround(1 - kept)) + fround(whole * kept);
  });
}

/** The dimensions between which the ramp lies: those that turn betaFast and betaSlow times within the original context. */
function rampOf(scaling: YarnScaling, theta: number, dims: number): [low: number, high: number] {
  const dimensionOf = (turns: number) =>
    (dims * Math.log(scaling.originalMaxPositions / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const ends = [dimensionOf(scaling.betaFast), dimensionOf(scaling.betaSlow)] as const;
  const [first, last] = scaling.truncate ? [Math.floor(ends[0]), Math.ceil(ends[1])] : ends;
  const [low, high] = [Math.max(first, 0), Math.min(last, dims - 1)];
  return [low, low === high ? high + 0.001 : high];
}
