/** Which of a model's layers see only a window, and how each rotates: from config.json, in the ways that families tell it. */
import type { FieldReader } from "./fields.js";
import { parseRope, parseRopeOf, type RopeConfig, type RopeContext, UNROTATED } from "./rope-config.js";

export interface LayerKind {
  /** Tokens that a token sees, itself included; undefined: all before it. */
  window: number | undefined;
  /** Index into the model's rotary embeddings. */
  rope: number;
}

export interface LayerKinds {
  ropes: RopeConfig[];
  /** One for each layer. */
  kinds: LayerKind[];
}

export interface LayerContext extends RopeContext {
  layers: number;
}

/** A family's way to tell it. */
export type ParseKinds = (fields: FieldReader, context: LayerContext) => LayerKinds;

type LayerType = "full_attention" | "sliding_attention";

const isLayerType = (value: unknown): value is LayerType => value === "full_attention" || value === "sliding_attention";

/** All layers alike; `window` is sliding_window where config.json does not have it, "none" for a family that has no such key. */
export const alike =
  (window: number | undefined | "none"): ParseKinds =>
  (fields, context) => {
    const seen = window === "none" ? undefined : windowOf(fields, window);
    const type = seen === undefined ? "full_attention" : "sliding_attention";
    for (const other of layerTypes(fields, context.layers, () => type)) {
      if (other !== type)
        throw fields.error(`layer_types contains ${JSON.stringify(other)}: all layers of this family are ${type}`);
    }
    const kind = { window: seen, rope: 0 };
    return { ropes: [parseRope(fields, context)], kinds: Array<LayerKind>(context.layers).fill(kind) };
  };

/** Qwen: with use_sliding_window the layers from max_window_layers on, or those that layer_types names. */
export const upperLayersSlide: ParseKinds = (fields, context) => {
  const window = fields.boolean("use_sliding_window", false) ? windowOf(fields, 4096) : undefined;
  const first = window === undefined ? context.layers : wholeNumber(fields, "max_window_layers", 28);
  const types = layerTypes(fields, context.layers, (i) => (i >= first ? "sliding_attention" : "full_attention"));
  return {
    ropes: [parseRope(fields, context)],
    kinds: types.map((type) => ({ window: windowBy(type, window, fields), rope: 0 })),
  };
};

/** SmolLM3: some layers do not rotate; those are the ones that slide, if any does. */
export const someUnrotated: ParseKinds = (fields, context) => {
  const { layers } = context;
  const window = fields.boolean("use_sliding_window", false) ? windowOf(fields, undefined) : undefined;
  const rotated = rotatedLayers(fields, layers);
  const sliding = (i: number) => window !== undefined && !rotated[i];
  const types = layerTypes(fields, layers, (i) => (sliding(i) ? "sliding_attention" : "full_attention"));
  return {
    ropes: [parseRope(fields, context), UNROTATED],
    kinds: types.map((type, i) => ({ window: windowBy(type, window, fields), rope: rotated[i] ? 0 : 1 })),
  };
};

/**
 * Gemma 3 and OLMo 3: layers that slide, with a rotary embedding of their own, and every `pattern`-th that sees everything. `theta`: of
 * the sliding ones.
 */
export const slidingWithOwnRope =
  (otherwise: { pattern: number; theta: number }): ParseKinds =>
  (fields, context) => {
    const window = windowOf(fields, 4096);
    const pattern = fields.integer("sliding_window_pattern", otherwise.pattern);
    const types = layerTypes(fields, context.layers, (i) =>
      (i + 1) % pattern ? "sliding_attention" : "full_attention",
    );
    return {
      ropes: ropesByType(fields, fields.number("rope_local_base_freq", otherwise.theta), context),
      kinds: types.map((type) => ({
        window: windowBy(type, window, fields),
        rope: type === "full_attention" ? 0 : 1,
      })),
    };
  };

/** rope_parameters of each layer type; before transformers 5, rope_scaling of the layers that see everything. */
function ropesByType(
  fields: FieldReader,
  localTheta: number,
  context: LayerContext,
): [whole: RopeConfig, local: RopeConfig] {
  const nested = fields.object("rope_parameters");
  const theta = fields.number("rope_theta", context.theta);
  if (nested === undefined)
    return [
      parseRopeOf(fields.object("rope_scaling"), "rope_scaling", theta, context),
      parseRopeOf(undefined, "", localTheta, context),
    ];
  if (nested.raw.rope_type !== undefined || fields.raw.rope_scaling != null)
    throw fields.error("rope_parameters must have full_attention and sliding_attention, and no rope_scaling beside it");
  const of = (type: LayerType, base: number) =>
    parseRopeOf(nested.object(type), `rope_parameters.${type}`, base, context);
  return [of("full_attention", theta), of("sliding_attention", localTheta)];
}

/** sliding_window; null is none. */
function windowOf(fields: FieldReader, fallback: number | undefined): number | undefined {
  const value = fields.raw.sliding_window;
  if (value === null || (value === undefined && fallback === undefined)) return undefined;
  return fields.integer("sliding_window", fallback);
}

function windowBy(type: LayerType, window: number | undefined, fields: FieldReader): number | undefined {
  if (type === "full_attention") return undefined;
  if (window === undefined) throw fields.error(`layer_types has "sliding_attention", but no sliding_window is in use`);
  return window;
}

/** layer_types, or what the family has without it. */
function layerTypes(fields: FieldReader, layers: number, otherwise: (layer: number) => LayerType): LayerType[] {
  const given = fields.raw.layer_types;
  if (given == null) return Array.from({ length: layers }, (_, i) => otherwise(i));
  const list: unknown[] = Array.isArray(given) ? given : [given];
  const other = list.find((type) => !isLayerType(type));
  if (other !== undefined)
    throw fields.error(
      `layer_types contains ${JSON.stringify(other)}: only "full_attention" and "sliding_attention" are supported`,
    );
  if (list.length !== layers)
    throw fields.error(`layer_types has ${list.length} entries, num_hidden_layers is ${layers}`);
  return list.filter(isLayerType);
}

/** no_rope_layers has a 1 where a layer rotates; without it every no_rope_layer_interval-th does not. */
function rotatedLayers(fields: FieldReader, layers: number): boolean[] {
  const given = fields.raw.no_rope_layers;
  const interval = fields.integer("no_rope_layer_interval", 4);
  if (given == null) return Array.from({ length: layers }, (_, i) => (i + 1) % interval !== 0);
  const valid = Array.isArray(given) && given.length >= layers && given.every((flag) => flag === 0 || flag === 1);
  if (!valid) throw fields.error(`no_rope_layers must have a 0 or 1 for each of the ${layers} layers`);
  return given.slice(0, layers).map((flag) => flag === 1);
}

function wholeNumber(fields: FieldReader, key: string, fallback: number): number {
  return fields.raw[key] === 0 ? 0 : fields.integer(key, fallback);
}
