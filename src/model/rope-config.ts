/** The rotary embedding's settings in config.json, in either spelling: what transformers calls `rope_type` and what belongs to each. */
import { type FieldReader, isObject } from "./fields.js";

/** Every frequency divided by `factor`: positions interpolated (Chen et al. 2023, arXiv 2306.15595). */
export interface LinearScaling {
  type: "linear";
  factor: number;
}

/** Frequencies stretched by wavelength, as in Llama 3.1. */
export interface Llama3Scaling {
  type: "llama3";
  factor: number;
  lowFreqFactor: number;
  highFreqFactor: number;
  originalMaxPositions: number;
}

/** Frequencies that turn often within the original context are kept, slow ones interpolated (Peng et al. 2023, arXiv 2309.00071). */
export interface YarnScaling {
  type: "yarn";
  factor: number;
  /** Turns within the original context from which a frequency is kept, and up to which it is interpolated. */
  betaFast: number;
  betaSlow: number;
  /** Whether the dimensions between which it blends are whole numbers. */
  truncate: boolean;
  originalMaxPositions: number;
}

/** Each frequency divided by a factor of its own (Ding et al. 2024, arXiv 2402.13753): those for short sequences. */
export interface LongropeScaling {
  type: "longrope";
  factors: number[];
}

/** No rotation at all. */
export interface NoRotation {
  type: "none";
}

export type RopeScaling = LinearScaling | Llama3Scaling | YarnScaling | LongropeScaling | NoRotation;

export interface RopeConfig {
  theta: number;
  scaling: RopeScaling | undefined;
  /** Of a head's dimensions the first part turns, this large. */
  partial: number;
  /** Factor of all cosines and sines, and so, squared, of the scores: YaRN's temperature, Gemma's query_pre_attn_scalar. */
  magnitude: number;
  /** Positions that these frequencies are for; longer sequences would need others from their first token on. */
  limit: number | undefined;
}

/** Without any scaling. */
export const plainRope = (theta: number): RopeConfig => ({
  theta,
  scaling: undefined,
  partial: 1,
  magnitude: 1,
  limit: undefined,
});

/** Frequencies of zero: q and k stay as they are. */
export const UNROTATED: RopeConfig = { ...plainRope(1), scaling: { type: "none" } };

/** What the settings refer to besides their own keys. */
export interface RopeContext {
  maxPositions: number;
  headDim: number;
  /** original_max_position_embeddings outside of them, which comes before the one in them. */
  originalMaxPositions?: number | undefined;
  /** rope_theta where there is none. */
  theta: number;
  /** partial_rotary_factor outside of them; undefined where only whole heads are rotated. */
  partial?: number | undefined;
  /** Other names of some types. */
  aliases?: Readonly<Record<string, string>> | undefined;
}

type Parse = (fields: FieldReader, context: RopeContext) => Partial<RopeConfig>;

const TYPES: Readonly<Record<string, Parse>> = {
  default: () => ({}),
  linear: (fields) => ({ scaling: { type: "linear", factor: fields.number("factor") } }),
  // Up to max_position_embeddings it is the default; its frequencies would change beyond, under keys that are already cached.
  dynamic: (fields, { maxPositions }) => {
    fields.number("factor");
    return { limit: maxPositions };
  },
  llama3: (fields, context) => ({
    scaling: {
      type: "llama3",
      factor: fields.number("factor"),
      lowFreqFactor: fields.number("low_freq_factor"),
      highFreqFactor: fields.number("high_freq_factor"),
      originalMaxPositions: originalMaxPositions(fields, context),
    },
  }),
  yarn: parseYarn,
  longrope: parseLongrope,
};

const originalMaxPositions = (fields: FieldReader, { originalMaxPositions, maxPositions }: RopeContext): number =>
  originalMaxPositions ?? fields.integer("original_max_position_embeddings", maxPositions);

/** transformers 5 writes `rope_parameters`; before it there were `rope_theta` and `rope_scaling` (with `type` before `rope_type`). */
export function parseRope(fields: FieldReader, context: RopeContext): RopeConfig {
  const key = fields.raw.rope_parameters != null ? "rope_parameters" : "rope_scaling";
  return parseRopeOf(fields.object(key), key, fields.number("rope_theta", context.theta), context);
}

/** One of the settings, called `key`; `theta` is outside of them. */
export function parseRopeOf(
  nested: FieldReader | undefined,
  key: string,
  theta: number,
  context: RopeContext,
): RopeConfig {
  const plain = { ...plainRope(theta), partial: context.partial ?? 1 };
  if (nested === undefined) return plain;
  const perLayerType = Object.keys(nested.raw).find((name) => isObject(nested.raw[name]));
  if (perLayerType !== undefined)
    throw nested.error(`${key}.${perLayerType}: rotary settings per layer type are not supported`);
  if (context.partial === undefined) nested.only("partial_rotary_factor", 1, 1);
  const partial = nested.number("partial_rotary_factor", plain.partial);
  const base = { ...plain, partial, theta: nested.number("rope_theta", theta) };
  return { ...base, ...parseType(nested, key, context)(nested, { ...context, partial }) };
}

function parseType(nested: FieldReader, key: string, { aliases = {} }: RopeContext): Parse {
  const given = nested.raw.rope_type ?? nested.raw.type ?? "default";
  const type = typeof given === "string" && Object.hasOwn(aliases, given) ? aliases[given] : given;
  const parse = typeof type === "string" && Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  if (parse !== undefined) return parse;
  const supported = Object.keys(TYPES).join(", ");
  throw nested.error(`${key}.rope_type ${JSON.stringify(type)} is not supported; supported: ${supported}`);
}

function parseYarn(fields: FieldReader, context: RopeContext): Partial<RopeConfig> {
  const original = originalMaxPositions(fields, context);
  // Written as null it follows from the two contexts; left out, transformers fails.
  const factor = fields.raw.factor === null ? context.maxPositions / original : fields.number("factor");
  const grown = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  const [own, all] = [
    fields.raw.mscale ? fields.number("mscale") : 0,
    fields.raw.mscale_all_dim ? fields.number("mscale_all_dim") : 0,
  ];
  const magnitude = own && all ? grown(own) / grown(all) : grown(1);
  return {
    scaling: {
      type: "yarn",
      factor,
      betaFast: fields.number("beta_fast", 32),
      betaSlow: fields.number("beta_slow", 1),
      truncate: fields.boolean("truncate", true),
      originalMaxPositions: original,
    },
    magnitude: fields.number("attention_factor", magnitude),
  };
}

/** Sequences longer than the original context would be rotated otherwise from their first token on: there it ends. */
function parseLongrope(fields: FieldReader, context: RopeContext): Partial<RopeConfig> {
  const original = originalMaxPositions(fields, context);
  const dims = Math.trunc(context.headDim * (context.partial ?? 1));
  const factor = fields.number("factor", context.maxPositions / original);
  const magnitude = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
  fields.numbers("long_factor", dims / 2);
  return {
    scaling: { type: "longrope", factors: fields.numbers("short_factor", dims / 2) },
    magnitude: fields.number("attention_factor", magnitude),
    limit: original,
  };
}
