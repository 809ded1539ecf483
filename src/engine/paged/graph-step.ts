import type { CausalLM } from "../../model/index.js";
import { CudaGraph, isCuda, onCaptureStream } from "../../torch/cuda.js";
import { ops, scope, TorchError } from "../../torch/index.js";
import { sample } from "../sampler.js";
import type { SamplingParams } from "../types.js";
import { type PagedKernel, pagedAttend } from "./attend.js";
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
    const attend = pagedAttend(cache, { blocks: buffers.blocks.narrow(0, 0, rows), lengths }, kernel);
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

/** A graph of a device; CudaGraph, but for tests. */
export interface Graph {
  capture(body: () => void, other?: Graph): void;
  replay(): void;
  dispose(): void;
}

/** What capturing needs of a device; that of CUDA, but for tests. */
export interface Capturing {
  newGraph(): Graph;
  /** Runs `body` where graphs are captured, which readies the libraries. */
  warmUp(body: () => void): void;
  /** Called once, when capturing did not work and steps go on without. */
  failed(error: Error): void;
}

const onCuda = (device: string): Capturing => ({
  newGraph: () => new CudaGraph(device) as Graph,
  warmUp: (body) => onCaptureStream(device, body),
  failed: sayOnce,
});

let said = false;

function sayOnce(error: Error): void {
  if (!said) process.stderr.write(`sampling goes on without CUDA graphs, slower: ${error.message}\n`);
  said = true;
}

/**
 * Decode steps for any number of rows, padded up to a bucket. On CUDA the first step of a bucket runs as it is, which readies the
 * libraries, the second is captured, and later ones are replayed: one call launches the whole step. On a CPU every step runs as it is.
 */
export class GraphedSteps {
  readonly #graphs = new Map<number, Graph | null>();
  readonly #capturing: Capturing | null;
  #version = -1;
  #failure: Error | null = null;

  /** `capture`: false runs every step as it is, also on CUDA. */
  constructor(
    private readonly parts: StepParts,
    capture: boolean | Capturing = true,
  ) {
    const { device } = parts.buffers;
    if (typeof capture === "object") this.#capturing = capture;
    else this.#capturing = capture && isCuda(device) ? onCuda(device) : null;
  }

  /** Why steps run as they are though they should be captured. */
  get failure(): Error | null {
    return this.#failure;
  }

  run(rows: number): void {
    const bucket = Math.min(bucketOf(rows), this.parts.buffers.rows);
    if (this.#capturing === null || this.#failure) {
      decodeStep(this.parts, bucket);
      return;
    }
    // The cache has moved: what was captured reads its old memory.
    if (this.#version !== this.parts.cache.version) this.dispose();
    this.#version = this.parts.cache.version;
    this.#run(bucket, this.#capturing);
  }

  dispose(): void {
    for (const graph of this.#graphs.values()) graph?.dispose();
    this.#graphs.clear();
  }

  #run(bucket: number, capturing: Capturing): void {
    const known = this.#graphs.get(bucket);
    if (known) {
      known.replay();
    } else if (known === undefined) {
      capturing.warmUp(() => decodeStep(this.parts, bucket));
      this.#graphs.set(bucket, null);
    } else {
      const graph = this.#captured(bucket, capturing);
      if (graph) graph.replay();
      else decodeStep(this.parts, bucket);
    }
  }

  /** null where the device refuses: a capture runs nothing, so the step is still to be made. */
  #captured(bucket: number, capturing: Capturing): Graph | null {
    const graph = capturing.newGraph();
    const other = [...this.#graphs.values()].find((g) => g !== null) ?? undefined;
    try {
      graph.capture(() => decodeStep(this.parts, bucket), other);
    } catch (error) {
      if (!(error instanceof TorchError)) throw error;
      graph.dispose();
      this.#failure = error;
      capturing.failed(error);
      return null;
    }
    this.#graphs.set(bucket, graph);
    return graph;
  }
}
