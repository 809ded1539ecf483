/**
 * What a training pass holds in memory, and from that: how many tokens a pass takes, and whether its layers are checkpointed.
 *
 * Everything here follows from the model, the recipe and the size of the machine's memory, not from what is free at the moment: a
 * resumed run cuts its passes as the run before did and ends with the same bits.
 */
import os from "node:os";
import { fusedOnCpu, seesAll } from "../model/attend.js";
import type { CausalLM, ModelConfig } from "../model/index.js";
import type { GrpoRecipe } from "../recipe/index.js";
import { cudaDevice, type DType, ITEM_BYTES, isCuda } from "../torch/index.js";
import { MOMENTS } from "../training/precision.js";
import { assertFits } from "./fit.js";
import type { MicroBatchOptions } from "./micro-batches.js";

/** How tokens go through the model when it learns. */
export interface PassPlan extends MicroBatchOptions {
  /** Keep only the layers' inputs and compute the rest again (model/checkpointing.ts). */
  checkpointing: boolean;
}

/** The recipe's keys that decide it. */
export type PassKeys = Pick<GrpoRecipe, "max_tokens_per_micro_batch" | "gradient_checkpointing">;
export type OptimizerMemoryKeys = Pick<GrpoRecipe, "optim" | "master_weights">;
export type MemoryKeys = PassKeys & OptimizerMemoryKeys;

/** Bytes that grow with the tokens of a pass, per token. */
export interface ActivationBytes {
  /** Forward and backward with the graph of all layers. */
  whole: number;
  /** With checkpointing: the layers' inputs, and one layer. */
  checkpointed: number;
}

/**
 * What autograd keeps per layer, tensor by tensor, for the layers as decoder.ts computes them and sequences of up to `longest` tokens; in the backward pass a layer's gradients
 * come on top. `bench/scale.ts layers` measures it.
 */
export function activationBytes(config: ModelConfig, dtype: DType, device: string, longest = 0): ActivationBytes {
  const { hiddenSize: D, intermediateSize: I, norms, layers } = config;
  const item = ITEM_BYTES[dtype];
  const fused = fusedOnCpu({ device, dtype, config });
  // Inputs and outputs of the norms; gate and up, and their product, which without our operator goes through silu as a tensor of its own.
  const normed = 4 * D + (norms.afterAttention ? D : 0) + (norms.afterMlp ? D : 0);
  const gated = fused && config.activation === "silu" ? 3 : 4;
  const linear = item * (normed + gated * I);
  const each = config.kinds.map((kind) => {
    const whole = seesAll(kind, longest);
    // A mask of the sequence's own length, for each of its tokens.
    const mask = whole ? 0 : 4 * longest;
    return SLACK * (linear + item * attentionNumbers(config, fused && whole) + mask);
  });
  const layer = Math.max(...each);
  const gradients = item * ((gated + 1) * I + 4 * D);
  const graph = each.reduce((sum, bytes) => sum + bytes, 0);
  return { whole: graph + gradients, checkpointed: layers * item * D + layer + gradients };
}

function attentionNumbers({ heads, kvHeads, headDim, qkNorm }: ModelConfig, fused: boolean): number {
  const [q, kv] = [heads * headDim, kvHeads * headDim];
  // The qkv product and what attention gives; without our operator also q and k rotated.
  if (!fused) return 3 * q + 3 * kv + (qkNorm ? 2 * (q + kv) : 0);
  return 2 * q + 2 * kv + (qkNorm ? q + kv : 0);
}

/** What an allocator takes beyond the tensors. */
const SLACK = 1.1;

/** Tokens above which a pass gets no faster, only larger (measured on a CPU: docs/performance.md). */
const ENOUGH = { cpu: 1600, gpu: 32_768 };
/** Tokens below which a pass is slow: then checkpointing pays. */
const TOO_FEW = { cpu: 512, gpu: 4096 };
/** Of the machine's memory, what a run may take; for the loss's chunks and all that is not counted. */
const SHARE = 0.85;
const RESERVE = 512 * 2 ** 20;

/**
 * The plan of a run whose longest sequence has `longest` tokens. Checkpointing, unless forbidden, is used where memory is too small for the
 * longest sequence, or for passes large enough to be fast. `reference` is the model of the KL term, which lies in memory beside it.
 */
export function choosePasses(
  model: CausalLM,
  keys: MemoryKeys,
  longest: number,
  reference: Pick<CausalLM, "weights"> | null = null,
): PassPlan {
  const { config, dtype, device } = model;
  const total = totalMemory(device);
  const training = trainingBytes(model, keys, reference);
  const bytes = activationBytes(config, dtype, device, longest);
  const plan = planPasses(bytes, keys, { longest, memory: SHARE * total - RESERVE - training, gpu: isCuda(device) });
  const perToken = plan.checkpointing ? bytes.checkpointed : bytes.whole;
  assertFits({ training, perToken, longest: Math.min(longest, config.maxPositions) }, total);
  return plan;
}

/** Completions decoded at a time where memory is no matter: more of them gain little. */
const MOST_ROWS = 256;
/** The cache grows by a quarter at a time. */
const GROWTH = 1.25;

/** Completions of at most `longest` tokens, prompts included, that are sampled at a time: what fits into memory beside the run, or into kv_cache_gib. */
export function rowsToSample(
  model: CausalLM,
  keys: OptimizerMemoryKeys & Pick<GrpoRecipe, "kv_cache_gib">,
  longest: number,
  reference: Pick<CausalLM, "weights"> | null = null,
): number {
  const { config, dtype, device } = model;
  const room = SHARE * totalMemory(device) - RESERVE - trainingBytes(model, keys, reference);
  const memory = keys.kv_cache_gib === null ? room : keys.kv_cache_gib * 2 ** 30;
  return rowsWithin(memory, longest, 2 * config.layers * config.kvHeads * config.headDim * ITEM_BYTES[dtype]);
}

/** The same from plain numbers; one row at least, or nothing could be sampled. */
export function rowsWithin(memory: number, longest: number, bytesPerToken: number): number {
  return Math.max(1, Math.min(MOST_ROWS, Math.floor(memory / (GROWTH * longest * bytesPerToken))));
}

interface Room {
  longest: number;
  /** Bytes for activations. */
  memory: number;
  gpu: boolean;
}

/** The same from plain numbers. */
export function planPasses(bytes: ActivationBytes, keys: PassKeys, { longest, memory, gpu }: Room): PassPlan {
  const kind = gpu ? "gpu" : "cpu";
  const wanted = keys.max_tokens_per_micro_batch;
  const needed = Math.max(longest, wanted === "auto" ? TOO_FEW[kind] : wanted);
  const checkpointing = keys.gradient_checkpointing !== false && needed * bytes.whole > memory;
  if (wanted !== "auto") return { maxTokens: wanted, checkpointing };
  const room = Math.floor(memory / (checkpointing ? bytes.checkpointed : bytes.whole));
  return { maxTokens: Math.max(1, Math.min(ENOUGH[kind], room)), checkpointing };
}

/**
 * Weights, gradients, what the optimizer keeps, and the reference's weights where they are not the model's own (which adapters leave as they
 * are). Gradients of half-precision weights add up in float32 (half-gradients.ts); what a pass adds to the largest of them exists beside
 * it, in its own precision and as float32.
 */
export function trainingBytes(
  model: Pick<CausalLM, "weights" | "parameters">,
  { optim, master_weights }: OptimizerMemoryKeys,
  reference: Pick<CausalLM, "weights"> | null = null,
): number {
  const moments = { float32: 8, bfloat16: 4, "8bit": 2 }[MOMENTS[optim]];
  let bytes = 0;
  let largest = 0;
  const weights = new Set([...model.weights.values(), ...(reference?.weights.values() ?? [])]);
  for (const { numel, dtype } of weights) bytes += numel * ITEM_BYTES[dtype];
  for (const { numel, dtype } of model.parameters().values()) {
    const half = dtype !== "float32";
    const master = half && master_weights ? 4 : 0;
    bytes += numel * (Math.max(4, ITEM_BYTES[dtype]) + moments + master);
    if (half) largest = Math.max(largest, numel * (ITEM_BYTES[dtype] + 4));
  }
  return bytes + largest;
}

/** Bytes of the device, or what the container may use of the machine. */
function totalMemory(device: string): number {
  if (isCuda(device)) return cudaDevice(device).bytes;
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem();
}
