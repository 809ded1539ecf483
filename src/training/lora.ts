/** What a run trains: all weights of a model, or adapters on it. */
import path from "node:path";
import { UserError } from "../errors.js";
import {
  addLora,
  CausalLM,
  isAdapterFolder,
  type LoadOptions,
  loadModel,
  loraModules,
  saveModel,
} from "../model/index.js";
import { loadLora } from "../model/lora/load.js";
import type { GrpoRecipe } from "../recipe/index.js";
import type { Companions } from "./template.js";

/** The recipe's keys that say so. */
export type LoraKeys = Pick<
  GrpoRecipe,
  | "model_name_or_path"
  | "model_revision"
  | "seed"
  | "use_peft"
  | "lora_r"
  | "lora_alpha"
  | "lora_dropout"
  | "disable_dropout"
  | "lora_target_modules"
  | "use_rslora"
  | "merge_adapters"
>;

export interface Trainee {
  model: CausalLM;
  /** The model without its adapters, sharing its weights; null if all weights are trained. */
  base: CausalLM | null;
}

interface Place {
  /** The start's folder. */
  source: string;
  /** Of the run to go on with. */
  checkpoint: string | undefined;
  options: LoadOptions;
  log: (line: string) => void;
}

/** @throws UserError if adapters are to be trained on adapters */
export function loadTrainee(keys: LoraKeys, { source, checkpoint, options, log }: Place): Trainee {
  if (!keys.use_peft) return { model: loadModel(checkpoint ?? source, { ...options, merge: true }), base: null };
  if (isAdapterFolder(source)) {
    throw new UserError(
      `use_peft: ${source} holds an adapter itself: merge it first (train it with --merge_adapters true), or start from its base model`,
    );
  }
  const base = loadModel(source, options);
  const config = configOf(keys);
  const model =
    checkpoint === undefined
      ? addLora(base, { ...config, modules: loraModules(keys.lora_target_modules, base), seed: keys.seed })
      : new CausalLM(base.config, base.weights, loadLora(checkpoint, config, base));
  log(describe(model));
  return { model, base };
}

function configOf(keys: LoraKeys) {
  return {
    base: keys.model_name_or_path,
    ...(keys.model_revision === "main" ? {} : { revision: keys.model_revision }),
    rank: keys.lora_r,
    alpha: keys.lora_alpha,
    dropout: keys.disable_dropout ? 0 : keys.lora_dropout,
    rslora: keys.use_rslora,
  };
}

function describe({ lora, weights }: CausalLM): string {
  const trained = lora?.size ?? 0;
  const all = trained + [...weights.values()].reduce((sum, weight) => sum + weight.numel, 0);
  const share = ((100 * trained) / all).toFixed(2);
  return `LoRA: ${trained.toLocaleString("en")} of ${all.toLocaleString("en")} parameters are trained (${share} %)`;
}

/** Writes the trained model to output_dir: whole, or its adapters in PEFT's format, or (merge_adapters) both. */
export function saveTrained(model: CausalLM, keys: LoraKeys & { output_dir: string }, companions: Companions): void {
  const merge = keys.merge_adapters;
  if (model.lora && merge) saveModel(model, path.join(keys.output_dir, "adapter"), companions);
  saveModel(model, keys.output_dir, { ...companions, merge });
}
