/** The rotary embedding's settings in config.json, in either spelling. */
import type { FieldReader } from "./fields.js";

/** Frequencies stretched by wavelength, as Llama 3.1 (transformers `rope_type: "llama3"`). */
export interface Llama3Scaling {
  factor: number;
  lowFreqFactor: number;
  highFreqFactor: number;
  originalMaxPositions: number;
}

export interface RopeConfig {
  theta: number;
  scaling: Llama3Scaling | undefined;
}

/** transformers 5 writes `rope_parameters`; before it there were `rope_theta` and `rope_scaling` (with `type` before `rope_type`). */
export function parseRope(fields: FieldReader): RopeConfig {
  const key = fields.raw.rope_parameters != null ? "rope_parameters" : "rope_scaling";
  const nested = fields.object(key);
  if (nested === undefined) return { theta: fields.number("rope_theta", 10_000), scaling: undefined };
  const perLayerType = Object.keys(nested.raw).find((name) => typeof nested.raw[name] === "object");
  if (perLayerType !== undefined)
    throw fields.error(`${key}.${perLayerType}: rotary settings per layer type are not supported`);
  const theta = nested.number("rope_theta", fields.number("rope_theta", 10_000));
  nested.only("partial_rotary_factor", 1, 1);
  const type = nested.raw.rope_type ?? nested.raw.type ?? "default";
  if (type === "default") return { theta, scaling: undefined };
  if (type !== "llama3")
    throw fields.error(`${key}.rope_type ${JSON.stringify(type)} is not supported; supported: "default", "llama3"`);
  const scaling = {
    factor: nested.number("factor"),
    lowFreqFactor: nested.number("low_freq_factor"),
    highFreqFactor: nested.number("high_freq_factor"),
    originalMaxPositions: nested.integer("original_max_position_embeddings"),
  };
  return { theta, scaling };
}
