import type { CausalLM } from "../../model/index.js";
import { CudaGraph, isCuda, onCaptureStream } from "../../torch/cuda.js";
import { ops, scope } from "../../torch/index.js";
import { sample } from "../sampler.js";
import type { SamplingParams } from "../types.js";
import { PagedAttend, type PagedKernel } from "./attend.js";
import type { PagedCache } from "./cache.js";
import { bucketOf, type DecodeBuffers } from "./graph-buffers.js";

export interface StepParts {
  model: CausalLM;
  cache: PagedCache;
  buffers: DecodeBuffers;
  kernel: PagedKernel;
  params: SamplingParams;
}

/** One token for the first `rows` rows, from buffers to buffers: no tensor from the host, no wait for the device. */
export function decodeStep({ model, cache, buffers, kernel, params }: StepParts, rows: number): void {
  scope(() => {
    const ids = buffers.ids.narrow(0, 0, rows);
    const lengths = buffers.lengths.narrow(0, 0, rows);
    const attend = new PagedAttend(cache, { blocks: buffers.blocks.narrow(0, 0, rows), lengths }, kernel);
    const hidden_B1D = model.forward(ids, attend);
    const logits_BV = model.logits(hidden_B1D.squeeze(1));
    const drawn = sample(logits_BV, params, null, null, buffers.uniform.narrow(0, 0, rows));
    [drawn.ids, drawn.samplingLogprobs, drawn.logprobs].forEach((values, i) => {
      ops.copy_(buffers.drawn.select(0, i).narrow(0, 0, rows), values);
    });
    ops.copy_(ids, drawn.ids.unsqueeze(1));
    ops.add_(lengths, 1);
  });
}

/**
 * Decode steps for any number of rows, padded up to a bucket. On CUDA the first step of a bucket runs as it is, which readies the
 * libraries, the second is captured, and later ones are replayed: one call launches the whole step. On a CPU every step runs as it is.
 */
export class GraphedSteps {
  readonly #graphs = new Map<number, CudaGraph | null>();
  #version = -1;

  constructor(
    private readonly parts: StepParts,
    /** false runs every step as it is, also on CUDA. */
    private readonly capture = true,
  ) {}

  run(rows: number): void {
    const bucket = Math.min(bucketOf(rows), this.parts.buffers.rows);
    if (!this.capture || !isCuda(this.parts.buffers.device)) {
      decodeStep(this.parts, bucket);
      return;
    }
    // The cache has moved: what was captured reads its old memory.
    if (this.#version !== this.parts.cache.version) this.dispose();
    this.#version = this.parts.cache.version;
    this.#onCuda(bucket);
  }

  dispose(): void {
    for (const graph of this.#graphs.values()) graph?.dispose();
    this.#graphs.clear();
  }

  #onCuda(bucket: number): void {
    const known = this.#graphs.get(bucket);
    if (known) {
      known.replay();
    } else if (known === undefined) {
      onCaptureStream(() => decodeStep(this.parts, bucket));
      this.#graphs.set(bucket, null);
    } else {
      const graph = new CudaGraph();
      const other = [...this.#graphs.values()].find((g) => g !== null);
      graph.capture(() => decodeStep(this.parts, bucket), other);
      this.#graphs.set(bucket, graph);
      graph.replay();
    }
  }
}
