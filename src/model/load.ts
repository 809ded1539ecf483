/** A Hugging Face model folder, or a PEFT adapter's with its base → CausalLM, and new models with random weights. */
import { UserError } from "../errors.js";
import { type DType, noGrad, ops, scope, type Tensor } from "../torch/index.js";
import { loadSafetensors } from "../torch/safetensors.js";
import { loadConfig, type ModelConfig } from "./config.js";
import { CausalLM } from "./decoder.js";
import { HEAD, type Piece, type Slot, slotsOf } from "./layout.js";
import { baseOf } from "./lora/base.js";
import { isAdapterFolder, readAdapterConfig } from "./lora/config.js";
import { loadLora, mergeLora } from "./lora/load.js";

export interface LoadOptions {
  /** Dtype of the weights in memory, and so of the computation. Default: as stored. */
  dtype?: DType;
  device?: string;
  /**
   * Copy the weights out of the file. Needed to train: a mapped weight's alignment is that of its place in the file, and the last bit of
   * a product may depend on it, so a run resumed from another file would differ.
   */
  copy?: boolean;
  /** An adapter is added into the weights instead of computed beside them: faster, rounded to their dtype. */
  merge?: boolean;
}

/**
 * Reads config.json and the safetensors weights (one file or sharded) of `dir`. Weights stay mapped from the file where neither dtype,
 * device nor stacking (layout.ts) asks for a copy. Throws UserError for settings, names or shapes we cannot honour.
 * An adapter's folder (adapter_config.json) gives its base model with the adapter.
 */
export function loadModel(dir: string, options: LoadOptions = {}): CausalLM {
  if (!isAdapterFolder(dir)) return loadWhole(dir, options);
  const config = readAdapterConfig(dir);
  const base = loadWhole(baseOf(dir, config), options);
  const model = new CausalLM(base.config, base.weights, loadLora(dir, config, base));
  return options.merge ? mergeLora(model) : model;
}

function loadWhole(dir: string, options: LoadOptions): CausalLM {
  const config = loadConfig(dir);
  const weights = noGrad(() =>
    scope(() => {
      const { tensors } = loadSafetensors(dir);
      const slots = slotsOf(config);
      refuseStrangers(tensors, slots, config, dir);
      const dtype = options.dtype ?? tensors.get(slots[0]!.pieces[0]!.name)?.dtype ?? "float32";
      const target = { dtype, device: options.device ?? "cpu", copy: options.copy ?? false };
      return new Map(slots.map((slot) => [slot.name, assemble(slot, tensors, target, dir)]));
    }),
  );
  return new CausalLM(config, weights);
}

/** A model with normally distributed weights of deviation `std` (norms multiply by 1, biases are 0), from the current seed. */
export function randomModel(config: ModelConfig, options: LoadOptions & { std?: number } = {}): CausalLM {
  const { dtype = "float32", device = "cpu", std = 0.02 } = options;
  const weights = noGrad(() =>
    scope(() => new Map(slotsOf(config).map((slot) => [slot.name, initial(slot, std, config).to(dtype).to(device)]))),
  );
  return new CausalLM(config, weights);
}

function initial(slot: Slot, std: number, { normOffset }: ModelConfig): Tensor {
  const shape = shapeOf(slot);
  if (slot.columns !== undefined) return ops.randn(shape).mul(std);
  return slot.name.endsWith("norm.weight") ? ops.full(shape, 1 - normOffset) : ops.zeros(shape);
}

export function shapeOf(slot: Slot): number[] {
  const rows = slot.pieces.reduce((sum, piece) => sum + piece.rows, 0);
  return slot.columns === undefined ? [rows] : [rows, slot.columns];
}

/** One parameter from its pieces, checked against the shapes the config asks for. */
function assemble(
  slot: Slot,
  tensors: ReadonlyMap<string, Tensor>,
  target: { dtype: DType; device: string; copy: boolean },
  dir: string,
): Tensor {
  const mapped = slot.pieces.map((piece) => checked(piece, slot, tensors, dir));
  const pieces = mapped.map((piece) => piece.to(target.dtype).to(target.device));
  if (pieces.length > 1) return ops.cat(pieces);
  const isMapped = mapped[0]!.dtype === target.dtype && pieces[0]!.device === "cpu";
  return target.copy && isMapped ? pieces[0]!.clone() : pieces[0]!;
}

function checked(piece: Piece, slot: Slot, tensors: ReadonlyMap<string, Tensor>, dir: string): Tensor {
  const tensor = tensors.get(piece.name);
  if (tensor === undefined) throw new UserError(`${dir}: the weights lack ${piece.name}, which config.json asks for`);
  const expected = slot.columns === undefined ? [piece.rows] : [piece.rows, slot.columns];
  if (tensor.shape.join() !== expected.join()) {
    throw new UserError(
      `${dir}: ${piece.name} has shape [${tensor.shape.join(", ")}], but config.json asks for [${expected.join(", ")}]`,
    );
  }
  return tensor;
}

/** A weight we would not use (a bias the config denies, an adapter) means that we would compute something else than its maker. */
function refuseStrangers(tensors: ReadonlyMap<string, Tensor>, slots: Slot[], config: ModelConfig, dir: string): void {
  const known = new Set(slots.flatMap((slot) => slot.pieces.map((piece) => piece.name)));
  if (config.tieWordEmbeddings) known.add(HEAD);
  const strangers = [...tensors.keys()].filter((name) => !known.has(name) && !name.endsWith(".rotary_emb.inv_freq"));
  if (strangers.length > 0) {
    throw new UserError(
      `${dir}: the weights hold ${strangers[0]} (${strangers.length} such), which a ${config.family} model with this config.json does not have`,
    );
  }
}
