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

export type RopeScaling = LinearScaling | Llama3Scaling | YarnScaling;

export interface RopeConfig {
  theta: number;
  scaling: RopeScaling | undefined;
  /** Factor of all cosines and sines, and so, squared, of the scores: YaRN's temperature. */
  magnitude: number;
  /** Positions there are frequencies for; undefined: as many as one likes. */
  limit: number | undefined;
}

/** Without any scaling. */
export const plainRope = (theta: number): RopeConfig => ({ theta, scaling: undefined, magnitude: 1, limit: undefined });

/** What the types refer to besides their own keys. */
interface Context {
  maxPositions: number;
}

type Parse = (fields: FieldReader, context: Context) => Partial<RopeConfig>;

const TYPES: Readonly<Record<string, Parse>> = {
  default: () => ({}),
  linear: (fields) => ({ scaling: { type: "linear", factor: fields.number("factor") } }),
  // Up to max_position_embeddings it is the default; its frequencies would change beyond, under keys that are already cached.
  dynamic: (fields, { maxPositions }) => {
    fields.number("factor");
    return { limit: maxPositions };
  },
  llama3: (fields) => ({
    scaling: {
      type: "llama3",
      factor: fields.number("factor"),
      lowFreqFactor: fields.number("low_freq_factor"),
      highFreqFactor: fields.number("high_freq_factor"),
      originalMaxPositions: fields.integer("original_max_position_embeddings"),
    },
  }),
  yarn: parseYarn,
};

/** transformers 5 writes `rope_parameters`; before it there were `rope_theta` and `rope_scaling` (with `type` before `rope_type`). */
export function parseRope(fields: FieldReader, context: Context): RopeConfig {
  const key = fields.raw.rope_parameters != null ? "rope_parameters" : "rope_scaling";
  const nested = fields.object(key);
  const plain = plainRope(fields.number("rope_theta", 10_000));
  if (nested === undefined) return plain;
  const perLayerType = Object.keys(nested.raw).find((name) => isObject(nested.raw[name]));
  if (perLayerType !== undefined)
    throw fields.error(`${key}.${perLayerType}: rotary settings per layer type are not supported`);
  nested.only("partial_rotary_factor", 1, 1);
  return { ...plain, theta: nested.number("rope_theta", plain.theta), ...parseType(nested, key)(nested, context) };
}

function parseType(nested: FieldReader, key: string): Parse {
  const type = nested.raw.rope_type ?? nested.raw.type ?? "default";
  const parse = typeof type === "string" && Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  if (parse !== undefined) return parse;
  const supported = Object.keys(TYPES).join(", ");
  throw nested.error(`${key}.rope_type ${JSON.stringify(type)} is not supported; supported: ${supported}`);
}

function parseYarn(fields: FieldReader, { maxPositions }: Context): Partial<RopeConfig> {
  const originalMaxPositions = fields.integer("original_max_position_embeddings", maxPositions);
  // Written as null it follows from the two contexts; left out, transformers fails.
  const factor = fields.raw.factor === null ? maxPositions / originalMaxPositions : fields.number("factor");
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
      originalMaxPositions,
    },
    magnitude: fields.number("attention_factor", magnitude),
  };
}
