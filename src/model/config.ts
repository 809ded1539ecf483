/**
 * config.json of a Hugging Face checkpoint → what our decoder needs to know. Old spellings (`rope_theta`, `rope_scaling`,
 * `torch_dtype`) and new ones (`rope_parameters`, `dtype`) read alike. A setting we do not compute is an error, never ignored:
 * a silently ignored one would give a model that runs and is subtly wrong.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.js";
import { FieldReader } from "./fields.js";
import { configFolder } from "./lora/base.js";
import { parseRope, type RopeConfig } from "./rope-config.js";

export type Family = "qwen2" | "qwen3" | "llama";
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
  /** Qwen3: RMS norm over each head of q and k, before the rotation. */
  qkNorm: boolean;
  rope: RopeConfig;
  /** As the checkpoint declares it; undefined when it does not. */
  dtype: CheckpointDtype | undefined;
  bosTokenId: number | undefined;
  eosTokenIds: number[];
  padTokenId: number | undefined;
  /** config.json as read, for saving. */
  raw: Record<string, unknown>;
}

const ARCHITECTURES: Record<Family, string> = {
  qwen2: "Qwen2ForCausalLM",
  qwen3: "Qwen3ForCausalLM",
  llama: "LlamaForCausalLM",
};

/** Reads `<dir>/config.json`, of an adapter's folder its base's. Throws UserError naming the file and the setting. */
export function loadConfig(dir: string): ModelConfig {
  const path = join(configFolder(dir), "config.json");
  let text: string;
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
  refuseUnsupported(fields);
  const heads = fields.integer("num_attention_heads");
  const hiddenSize = fields.integer("hidden_size");
  const attentionBias = fields.boolean("attention_bias", false);
  const maxPositions = fields.integer("max_position_embeddings");
  const config: ModelConfig = {
    family,
    vocabSize: fields.integer("vocab_size"),
    hiddenSize,
    intermediateSize: fields.integer("intermediate_size"),
    layers: fields.integer("num_hidden_layers"),
    heads,
    kvHeads: fields.integer("num_key_value_heads", heads),
    headDim: fields.integer("head_dim", family === "qwen3" ? 128 : hiddenSize / heads),
    maxPositions,
    rmsNormEps: fields.number("rms_norm_eps", 1e-6),
    tieWordEmbeddings: fields.boolean("tie_word_embeddings", false),
    // Qwen2 always has biases on q, k, v and none on o; the others follow attention_bias for all four.
    qkvBias: family === "qwen2" || attentionBias,
    outputBias: family !== "qwen2" && attentionBias,
    mlpBias: family === "llama" && fields.boolean("mlp_bias", false),
    qkNorm: family === "qwen3",
    rope: parseRope(fields, { maxPositions }),
    dtype: parseDtype(fields),
    bosTokenId: fields.tokenIds("bos_token_id")[0],
    eosTokenIds: fields.tokenIds("eos_token_id"),
    padTokenId: fields.tokenIds("pad_token_id")[0],
    raw: fields.raw,
  };
  if (config.heads % config.kvHeads !== 0) {
    throw fields.error(
      `num_attention_heads ${config.heads} is not a multiple of num_key_value_heads ${config.kvHeads}`,
    );
  }
  if (config.headDim % 2 !== 0)
    throw fields.error(`head_dim ${config.headDim} is odd; rotary embeddings need an even one`);
  return config;
}

function parseFamily(fields: FieldReader): Family {
  const type = fields.raw.model_type;
  const supported = Object.keys(ARCHITECTURES).join(", ");
  if (type !== "qwen2" && type !== "qwen3" && type !== "llama") {
    throw fields.error(`model_type ${JSON.stringify(type)} is not supported; supported: ${supported}`);
  }
  const architectures = fields.raw.architectures;
  if (Array.isArray(architectures) && !architectures.includes(ARCHITECTURES[type])) {
    throw fields.error(
      `architecture ${architectures.join(", ")} is not supported; ${type} is read as ${ARCHITECTURES[type]} only`,
    );
  }
  return type;
}

/** Settings transformers would honour and we do not compute. */
function refuseUnsupported(fields: FieldReader): void {
  fields.only("hidden_act", "silu", "silu");
  fields.only("use_sliding_window", false, false);
  fields.only("use_mrope", false, false);
  fields.only("attention_dropout", 0, 0);
  fields.only("partial_rotary_factor", 1, 1);
  if (fields.raw.model_type === "qwen2") fields.only("attention_bias", true, true);
  if (fields.raw.model_type !== "llama") fields.only("mlp_bias", false, false);
  if (fields.raw.quantization_config != null) {
    throw fields.error(
      "quantization_config is set: quantised checkpoints are not supported; use the float or bfloat16 checkpoint",
    );
  }
  const layerTypes = fields.raw.layer_types;
  if (Array.isArray(layerTypes)) {
    const other = layerTypes.find((type) => type !== "full_attention");
    if (other !== undefined)
      throw fields.error(`layer_types contains ${JSON.stringify(other)}: only "full_attention" is supported`);
  }
}

function parseDtype(fields: FieldReader): CheckpointDtype | undefined {
  const value = fields.raw.dtype ?? fields.raw.torch_dtype;
  if (value == null || value === "auto") return undefined;
  if (value === "float32" || value === "bfloat16" || value === "float16") return value;
  throw fields.error(`dtype ${JSON.stringify(value)} is not supported; supported: float32, bfloat16, float16`);
}
