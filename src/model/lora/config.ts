/** adapter_config.json of a LoRA adapter, in PEFT's format. What would be computed differently from PEFT is an error, never ignored. */
import { existsSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { UserError } from "../../errors.js";
import { readTextFile } from "../../files/regular.js";
import { FieldReader } from "../fields.js";

export const ADAPTER_CONFIG_FILE = "adapter_config.json";
export const ADAPTER_WEIGHTS_FILE = "adapter_model.safetensors";

/** What PEFT puts before the names of the model it wraps. */
export const PEFT_PREFIX = "base_model.model.";

/** How an adapter enters the computation: y = W x + scale · B A dropout(x). */
export interface LoraScale {
  /** Rows of A, columns of B. */
  rank: number;
  alpha: number;
  /** scale = alpha / √rank (Kalajdzievski 2023, arXiv 2312.03732) instead of alpha / rank. */
  rslora: boolean;
  /** Probability of dropping an input element, while training only. */
  dropout: number;
}

export interface AdapterConfig extends LoraScale {
  /** base_model_name_or_path: a folder or a name on the Hub. */
  base: string;
  /** Of a base on the Hub. */
  revision?: string;
}

export const scaleOf = ({ rank, alpha, rslora }: LoraScale): number => alpha / (rslora ? Math.sqrt(rank) : rank);

/** Keys that change nothing in what a finished adapter computes (which modules it has is told by its weights). */
const HARMLESS: ReadonlySet<string> = new Set([
  ...[
    "auto_mapping",
    "base_model_name_or_path",
    "revision",
    "inference_mode",
    "task_type",
    "peft_type",
    "peft_version",
  ],
  ...["r", "lora_alpha", "lora_dropout", "use_rslora", "bias", "init_lora_weights"],
  ...[
    "target_modules",
    "exclude_modules",
    "layers_to_transform",
    "layers_pattern",
    "megatron_core",
    "qalora_group_size",
  ],
  ...["eva_config", "lora_ga_config", "runtime_config", "ensure_weight_tying"],
]);

/** Initialisations that leave the base's weights as they are; the others (pissa, olora, …) subtract from them. */
const INITIALISATIONS: readonly unknown[] = [undefined, null, true, false, "gaussian", "eva", "orthogonal"];

export const isAdapterFolder = (dir: string): boolean => existsSync(join(dir, ADAPTER_CONFIG_FILE));

/** Reads `<dir>/adapter_config.json`. Throws UserError naming a setting that open-rs does not compute. */
export function readAdapterConfig(dir: string): AdapterConfig {
  const path = join(dir, ADAPTER_CONFIG_FILE);
  const fields = new FieldReader(parse(path), path);
  fields.only("peft_type", "LORA", "LORA");
  fields.only("bias", "none", "none");
  for (const [key, value] of Object.entries(fields.raw)) {
    if (!HARMLESS.has(key) && isSet(value)) throw refusal(path, key, value);
  }
  const { init_lora_weights, base_model_name_or_path: base } = fields.raw;
  if (!INITIALISATIONS.includes(init_lora_weights)) throw refusal(path, "init_lora_weights", init_lora_weights);
  if (typeof base !== "string" || base === "") {
    throw fields.error("base_model_name_or_path is not set: write the folder or the name of the base model there");
  }
  const { revision } = fields.raw;
  return {
    base,
    ...(typeof revision === "string" ? { revision } : {}),
    rank: fields.integer("r", 8),
    alpha: fields.number("lora_alpha", 8),
    rslora: fields.boolean("use_rslora", false),
    dropout: (fields.raw.lora_dropout ?? 0) === 0 ? 0 : fields.number("lora_dropout"),
  };
}

const refusal = (path: string, key: string, value: unknown) =>
  new UserError(
    `${path}: ${key} ${JSON.stringify(value)} is not supported: merge the adapter with PEFT (merge_and_unload) and load the merged model`,
  );

function isSet(value: unknown): boolean {
  if (value === null || value === false) return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readTextFile(path));
  } catch (error) {
    throw new UserError(`${path} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}

/** adapter_config.json as PEFT reads it; `modules` the names its target_modules matches by their ends. */
export function adapterConfigJson(config: AdapterConfig, modules: readonly string[]): Record<string, unknown> {
  return {
    base_model_name_or_path: isLocal(config.base) ? resolve(config.base) : config.base,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    lora_alpha: config.alpha,
    lora_dropout: config.dropout,
    modules_to_save: null,
    peft_type: "LORA",
    r: config.rank,
    revision: config.revision ?? null,
    target_modules: modules,
    task_type: "CAUSAL_LM",
    use_dora: false,
    use_rslora: config.rslora,
  };
}

const isLocal = (base: string): boolean => isAbsolute(base) || existsSync(base);
