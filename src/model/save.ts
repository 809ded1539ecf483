/** CausalLM → a Hugging Face model folder that transformers (and we) can load; with adapters, PEFT's folder. */
import fs from "node:fs";
import path from "node:path";
import { writeFileAtomic } from "../files/atomic.js";
import { type DType, noGrad, scope, type Tensor } from "../torch/index.js";
import { saveSafetensors } from "../torch/safetensors.js";
import type { CausalLM } from "./decoder.js";
import { removeAdapterFiles, saveLora } from "./lora/save.js";

const TEMPLATE_FILE = "chat_template.jinja";

/** What travels along with the weights, where the source folder has it. */
const COMPANIONS = [
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
  "tokenizer.model",
  TEMPLATE_FILE,
  "chat_template.json",
];

export interface SaveModelOptions {
  /** The folder whose generation_config and tokenizer files are copied. */
  companionsFrom?: string;
  /** A chat template in place of the one among them. */
  chatTemplate?: string;
  /** Dtype of the stored weights; default: the model's. */
  dtype?: DType;
  maxShardBytes?: number;
  /** Write the whole model with its adapters added in (rounded to `dtype`), not the adapters alone. */
  merge?: boolean;
}

/**
 * Writes weights under Hugging Face's names, config.json, and copies of the companions. Each file is written whole or not at all;
 * a checkpoint of several files is made atomic by src/run. Returns the files written.
 */
export function saveModel(model: CausalLM, dir: string, options: SaveModelOptions = {}): string[] {
  fs.mkdirSync(dir, { recursive: true });
  if (model.lora && !options.merge) {
    return [...saveLora(model.lora, dir, model.config.layers), ...writeCompanions(options, dir)];
  }
  const dtype = options.dtype ?? model.dtype;
  const files = noGrad(() =>
    scope(() => {
      const shards = options.maxShardBytes === undefined ? {} : { maxShardBytes: options.maxShardBytes };
      return saveSafetensors(dir, huggingFaceWeights(model, dtype), shards);
    }),
  );
  const config = path.join(dir, "config.json");
  writeFileAtomic(config, `${JSON.stringify(configFor(model, dtype), null, 2)}\n`);
  removeAdapterFiles(dir);
  return [...files, config, ...writeCompanions(options, dir)];
}

/** The weights by Hugging Face's names, adapters added in: rows of our stacked parameters, as views where the dtype stays. */
export function huggingFaceWeights(model: CausalLM, dtype: DType = model.dtype): Map<string, Tensor> {
  const weights = new Map<string, Tensor>();
  for (const slot of model.slots) {
    const own = model.weights.get(slot.name)!.detach();
    const whole = model.lora?.merged(slot.name, own) ?? own;
    let row = 0;
    for (const piece of slot.pieces) {
      weights.set(piece.name, whole.narrow(0, row, piece.rows).to(dtype));
      row += piece.rows;
    }
  }
  return weights;
}

/** config.json as it came, with the dtype of what is stored, in the spelling it uses. */
function configFor(model: CausalLM, dtype: DType): Record<string, unknown> {
  const key = "dtype" in model.config.raw ? "dtype" : "torch_dtype";
  return { ...model.config.raw, [key]: dtype };
}

function writeCompanions({ companionsFrom, chatTemplate }: SaveModelOptions, dir: string): string[] {
  const copies = copyCompanions(companionsFrom, dir);
  if (chatTemplate === undefined) return copies;
  // It wins over whatever tokenizer_config.json holds, here and in transformers.
  const own = path.join(dir, TEMPLATE_FILE);
  writeFileAtomic(own, chatTemplate);
  return [...copies.filter((file) => file !== own), own];
}

function copyCompanions(from: string | undefined, to: string): string[] {
  if (from === undefined || path.resolve(from) === path.resolve(to)) return [];
  const present = COMPANIONS.filter((name) => fs.existsSync(path.join(from, name)));
  return present.map((name) => {
    const target = path.join(to, name);
    writeFileAtomic(target, fs.readFileSync(path.join(from, name)));
    return target;
  });
}
