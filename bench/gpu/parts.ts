/** Where a decode step's time goes: each part of it alone, for all layers, replayed from a graph of its own. */

import { FLASH_BLOCK, PagedAttend } from "../../src/engine/paged/attend.js";
import { PagedCache } from "../../src/engine/paged/cache.js";
import { DecodeBuffers } from "../../src/engine/paged/graph-buffers.js";
import { decodeStep } from "../../src/engine/paged/graph-step.js";
import { pagedKernel } from "../../src/engine/paged/kernel.js";
import { sample } from "../../src/engine/sampler.js";
import { DEFAULT_SAMPLING } from "../../src/engine/types.js";
import type { CausalLM } from "../../src/model/index.js";
import { CudaGraph, isCuda, noGrad, onCaptureStream, ops, scope, type Tensor } from "../../src/torch/index.js";
import { timed } from "./clock.js";

export interface PartTime {
  part: string;
  ms: number;
}

/** Milliseconds on the device of a whole step at this batch and context, and of its parts by themselves. */
export function measureParts(model: CausalLM, batch: number, context: number): PartTime[] {
  return noGrad(() =>
    scope(() => {
      const { cache, buffers } = fill(model, batch, context);
      const kernel = pagedKernel(model.device, model.dtype, model.config);
      const params = { ...DEFAULT_SAMPLING, temperature: 0.7 };
      const hidden = random(model, [batch, model.config.hiddenSize]);
      const logits = random(model, [batch, model.config.vocabSize]);
      const parts: Record<string, () => void> = {
        "whole step": () => {
          decodeStep({ model, cache, buffers, kernel, params }, batch);
          // Always at the same place in the cache.
          ops.add_(buffers.lengths, -1);
        },
        ...layerParts(
          model,
          batch,
          () => new PagedAttend(cache, { blocks: buffers.blocks, lengths: buffers.lengths }, kernel),
        ),
        head: () => void model.logits(hidden),
        sampling: () => void sample(logits, params, null, null, buffers.uniform),
      };
      const times = Object.entries(parts).map(([part, body]) => ({ part, ms: replayed(model.device, body) }));
      cache.clear();
      buffers.dispose();
      return times;
    }),
  );
}

/** Attention with its cache writes, the four products, and what is between them, each for all layers. */
function layerParts(model: CausalLM, batch: number, newAttend: () => PagedAttend): Record<string, () => void> {
  const { layers, heads, kvHeads, headDim, hiddenSize, intermediateSize } = model.config;
  const q = random(model, [batch, heads, 1, headDim]);
  const kv = random(model, [batch, kvHeads, 1, headDim]);
  const x = random(model, [batch, hiddenSize]);
  const inner = random(model, [batch, 2 * intermediateSize]);
  const qk = random(model, [batch, 1, heads + kvHeads, headDim]);
  const cos = random(model, [1, 1, 1, headDim]);
  const ones = ops.ones([hiddenSize], { dtype: model.dtype, device: model.device });
  const each = (body: (layer: number) => void) => () => {
    for (let layer = 0; layer < layers; layer++) scope(() => body(layer));
  };
  return {
    "attention and cache writes": () =>
      scope(() => {
        const attend = newAttend();
        each((index) => void attend.attend({ index, window: undefined }, q, kv, kv))();
      }),
    products: each((layer) => {
      const weight = (name: string) => model.weights.get(`model.layers.${layer}.${name}.weight`)!;
      for (const name of ["self_attn.qkv_proj", "self_attn.o_proj", "mlp.gate_up_proj"]) ops.linear(x, weight(name));
      ops.linear(inner.narrow(1, 0, intermediateSize), weight("mlp.down_proj"));
    }),
    "norms and sums": each(() => {
      for (let i = 0; i < 2; i++) ops.rmsNorm(x, [hiddenSize], { weight: ones, eps: 1e-6 }).add(x);
    }),
    rotation: each(() => void ops.addcmul(qk.mul(cos), ops.roll(qk, headDim / 2, { dims: -1 }), cos)),
    "silu and product": each(() => {
      const [gate, up] = ops.splitSizes(inner, [intermediateSize, intermediateSize], { dim: -1 });
      ops.silu(gate!).mul(up!);
    }),
  };
}

const random = (model: CausalLM, shape: number[]): Tensor =>
  ops.randn(shape, { dtype: model.dtype, device: model.device });

/** A cache of `batch` rows of `context` tokens, none of them shared. */
function fill(model: CausalLM, batch: number, context: number): { cache: PagedCache; buffers: DecodeBuffers } {
  const { layers, kvHeads, headDim } = model.config;
  const { dtype, device } = model;
  const kernel = pagedKernel(device, dtype, model.config);
  const blockSize = kernel === "math" ? 16 : FLASH_BLOCK;
  const maxLength = context + 1;
  const cache = new PagedCache({
    layers,
    kvHeads,
    headDim,
    dtype,
    device,
    blockSize,
    maxLength,
    runs: kernel === "flash-runs",
  });
  cache.reserve(batch);
  const make = () => random(model, [1, kvHeads, context, headDim]);
  const prefix = {
    keys: Array.from({ length: layers }, make),
    values: Array.from({ length: layers }, make),
    lengths: [context],
  };
  cache.append(
    prefix,
    Array.from({ length: batch }, () => ({ prompt: 0, count: 1 })),
  );
  cache.extend();
  const buffers = new DecodeBuffers(batch, cache.width, device);
  buffers.setTables(cache.tables(batch));
  return { cache, buffers };
}

function replayed(device: string, body: () => void): number {
  if (!isCuda(device)) return timed(device, () => scope(body), { rounds: 3, warmups: 1 });
  onCaptureStream(device, () => scope(body));
  const graph = new CudaGraph(device);
  graph.capture(() => scope(body));
  const ms = timed(device, () => graph.replay(), { rounds: 20, warmups: 3 });
  graph.dispose();
  return ms;
}
