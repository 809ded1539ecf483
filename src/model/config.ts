/**
 * config.json of a Hugging Face checkpoint → what our decoder needs to know. Old spellings (`rope_theta`, `rope_scaling`,
 * `torch_dtype`) and new ones (`rope_parameters`, `dtype`) read alike. A setting we do not compute is an error, never ignored:
 * a silently ignored one would give a model that runs and is subtly wrong.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.js";
import { assertRegularFile } from "../files/regular.js";
import { type Activation, FAMILIES, type Family, type FamilyTraits, isFamily, type LayerNorms } from "./families.js";
import { FieldReader } from "./fields.js";
import type { LayerKind } from "./layer-kinds.js";
import { configFolder } from "./lora/base.js";
import type { RopeConfig } from "./rope-config.js";

export type CheckpointDtype = "float32" | "bfloat16" | "float16";

export interface ModelConfig {
  family: Family;
  vocabSize: number;
  hiddenSize: number;
  intermediateSize: number;
  layers: number;
  /** Query heads, and the key/value heads they share in equal groups. */
  heads: number;
  kvHeads: number;
  headDim: number;
  maxPositions: number;
  rmsNormEps: number;
  tieWordEmbeddings: boolean;
  qkvBias: boolean;
  outputBias: boolean;
  mlpBias: boolean;
  /** RMS norm of q and k before the rotation: over each head, or over all of them together. */
  qkNorm: FamilyTraits["qkNorm"];
  norms: LayerNorms;
  /** Added to the weights of all norms. */
  normOffset: number;
  /** The embedding is multiplied by it. */
  embeddingScale: number;
  activation: Activation;
  /** The files hold q, k and v, and gate and up, as one matrix each. */
  stackedFiles: boolean;
  /** The rotary embeddings, of which each layer has one. */
  ropes: readonly RopeConfig[];
  /** One for each layer. */
  kinds: readonly LayerKind[];
  /** As the checkpoint declares it; undefined when it does not. */
  dtype: CheckpointDtype | undefined;
  bosTokenId: number | undefined;
  eosTokenIds: number[];
  padTokenId: number | undefined;
  /** config.json as read, for saving. */
  raw: Record<string, unknown>;
}

/** Reads `<dir>/config.json`, of an adapter's folder its base's. Throws UserError naming the file and the setting. */
export function loadConfig(dir: string): ModelConfig {
  const path = join(configFolder(dir), "config.json");
  let text: string;
  assertRegularFile(path);
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw new UserError(
      `${path}: not found or not readable; a model folder needs config.json, safetensors weights and a tokenizer`,
    );
  }
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path}: not valid JSON (${error instanceof Error ? error.message : error})`);
  }
  return parseConfig(raw, path);
}

/** `path` only names the source in errors. */
export function parseConfig(raw: unknown, path = "config.json"): ModelConfig {
  const fields = new FieldReader(raw, path);
  const family = parseFamily(fields);
  const traits = FAMILIES[family];
  refuseUnsupported(fields, traits);
  const sizes = parseSizes(fields, traits);
  const { ropes, kinds } = parseKinds(fields, traits, sizes);
  const isOn = (value: boolean | string) => (typeof value === "string" ? fields.boolean(value, false) : value);
  return {
    family,
    ...sizes,
    maxPositions: Math.min(sizes.maxPositions, ...ropes.map(({ limit = Number.POSITIVE_INFINITY }) => limit)),
    rmsNormEps: fields.number("rms_norm_eps", traits.defaults.rmsNormEps),
    tieWordEmbeddings: fields.boolean("tie_word_embeddings", traits.defaults.tied),
    qkvBias: isOn(traits.biases.qkv),
    outputBias: isOn(traits.biases.output),
    mlpBias: isOn(traits.biases.mlp),
    qkNorm: traits.qkNorm,
    norms: traits.norms,
    normOffset: traits.normOffset,
    embeddingScale: traits.scaledEmbedding ? Math.sqrt(sizes.hiddenSize) : 1,
    activation: parseActivation(fields, traits),
    stackedFiles: traits.stackedFiles,
    ropes,
    kinds,
    dtype: parseDtype(fields),
    bosTokenId: fields.tokenIds("bos_token_id")[0],
    eosTokenIds: fields.tokenIds("eos_token_id"),
    padTokenId: fields.tokenIds("pad_token_id")[0],
    raw: fields.raw,
  };
}

type Sizes = Pick<
  ModelConfig,
  "vocabSize" | "hiddenSize" | "intermediateSize" | "layers" | "heads" | "kvHeads" | "headDim" | "maxPositions"
>;

function parseSizes(fields: FieldReader, { defaults }: FamilyTraits): Sizes {
  const heads = fields.integer("num_attention_heads");
  const hiddenSize = fields.integer("hidden_size");
  const sizes = {
    vocabSize: fields.integer("vocab_size"),
    hiddenSize,
    intermediateSize: fields.integer("intermediate_size"),
    layers: fields.integer("num_hidden_layers"),
    heads,
    kvHeads: fields.integer("num_key_value_heads", heads),
    headDim: fields.integer("head_dim", defaults.headDim ?? hiddenSize / heads),
    maxPositions: fields.integer("max_position_embeddings"),
  };
  if (heads % sizes.kvHeads !== 0) {
    throw fields.error(`num_attention_heads ${heads} is not a multiple of num_key_value_heads ${sizes.kvHeads}`);
  }
  if (sizes.headDim % 2 !== 0)
    throw fields.error(`head_dim ${sizes.headDim} is odd; rotary embeddings need an even one`);
  return sizes;
}

function parseKinds(fields: FieldReader, traits: FamilyTraits, sizes: Sizes) {
  const { kinds, defaults, partialRotation } = traits;
  const { headDim, layers, maxPositions } = sizes;
  if (!partialRotation) fields.only("partial_rotary_factor", 1, 1);
  const parsed = kinds(fields, {
    layers,
    headDim,
    maxPositions,
    originalMaxPositions:
      fields.raw.original_max_position_embeddings == null
        ? defaults.originalMaxPositions
        : fields.integer("original_max_position_embeddings"),
    theta: defaults.ropeTheta,
    aliases: traits.ropeAliases,
    partial: partialRotation ? fields.number("partial_rotary_factor", 1) : undefined,
  });
  for (const { partial } of parsed.ropes) {
    const turned = Math.trunc(headDim * partial);
    if (turned < 2 || turned > headDim || turned % 2 !== 0)
      throw fields.error(
        `partial_rotary_factor ${partial} makes ${turned} of ${headDim} dimensions turn, not an even number`,
      );
  }
  if (defaults.queryScalar === undefined) return parsed;
  // Cosines and sines that are m times as large make scores that are m² times as large.
  const magnitude = (headDim / fields.number("query_pre_attn_scalar", defaults.queryScalar)) ** (1 / 4);
  return { ...parsed, ropes: parsed.ropes.map((rope) => ({ ...rope, magnitude: rope.magnitude * magnitude })) };
}

function parseFamily(fields: FieldReader): Family {
  const type = fields.raw.model_type;
  if (!isFamily(type)) {
    const supported = Object.keys(FAMILIES).join(", ");
    throw fields.error(`model_type ${JSON.stringify(type)} is not supported; supported: ${supported}`);
  }
  const { architecture } = FAMILIES[type];
  const architectures = fields.raw.architectures;
  if (Array.isArray(architectures) && !architectures.includes(architecture)) {
    throw fields.error(
      `architecture ${architectures.join(", ")} is not supported; ${type} is read as ${architecture} only`,
    );
  }
  return type;
}

function parseActivation(fields: FieldReader, { activationKey, defaults }: FamilyTraits): Activation {
  const value = fields.raw[activationKey] ?? defaults.activation;
  if (value === "silu" || value === "gelu_pytorch_tanh") return value;
  throw fields.error(
    `${activationKey} ${JSON.stringify(value)} is not supported; supported: "silu", "gelu_pytorch_tanh"`,
  );
}

/** Of a mixture of experts, whatever its family is called. */
const EXPERTS = ["num_experts", "num_local_experts", "n_routed_experts"];

/** Settings transformers would honour and we do not compute. */
function refuseUnsupported(fields: FieldReader, { only, without }: FamilyTraits): void {
  fields.only("attention_dropout", 0, 0);
  for (const [key, supported] of Object.entries(only)) fields.only(key, supported, supported);
  for (const key of [...without, ...EXPERTS]) fields.without(key);
  if (fields.raw.quantization_config != null) {
    throw fields.error(
      "quantization_config is set: quantised checkpoints are not supported; use the float or bfloat16 checkpoint",
    );
  }
}

function parseDtype(fields: FieldReader): CheckpointDtype | undefined {
  const value = fields.raw.dtype ?? fields.raw.torch_dtype;
  if (value == null || value === "auto") return undefined;
  if (value === "float32" || value === "bfloat16" || value === "float16") return value;
  throw fields.error(`dtype ${JSON.stringify(value)} is not supported; supported: float32, bfloat16, float16`);
}
