/**
 * Our own kernels for GPUs (native/cuda/), as functions of tensors: each takes one launch or two where libtorch's operators take many. No
 * gradients. Compiled at first use by NVRTC, which comes with PyTorch; which of them are used is decided by cuda-trials.ts.
 */
import { callTensorOp } from "./call.js";
import { cudaDevice, deviceIndex } from "./cuda.js";
import { compileProgram, type Program } from "./cuda-programs.js";
import type { DType } from "./dtype.js";
import { native } from "./native.js";
import * as ops from "./ops.generated.js";
import type { Tensor } from "./tensor.js";

/** Runs kernels; a GPU, but for tests. */
export interface Launcher {
  /** The program's kernels, in the order of PROGRAMS. */
  load(program: Program, dtype: DType): readonly number[];
  launch(kernel: number, blocks: readonly [x: number, y: number], threads: number, args: readonly Argument[]): void;
}

/** Tensors and null as memory; numbers as int64, but those in an object as float32. */
export type Argument = Tensor | null | number | { float: number };

export function cudaLauncher(device: string): Launcher {
  const { capability } = cudaDevice(device);
  return {
    load(program, dtype) {
      const [binary, names] = compileProgram(program, dtype, capability);
      return native.cudaLoadKernels(deviceIndex(device), binary, names);
    },
    launch(kernel, [x, y], threads, args) {
      native.cudaLaunch(kernel, x, y, threads, args.map(kindOf).join(""), args.map(numberOf));
    },
  };
}

export function kindOf(argument: Argument): "t" | "i" | "f" {
  if (typeof argument === "number") return "i";
  return argument !== null && "float" in argument ? "f" : "t";
}

function numberOf(argument: Argument): number {
  if (argument === null) return 0;
  if (typeof argument === "number") return argument;
  return "float" in argument ? argument.float : argument.handle;
}

const THREADS = 256;
/** Tokens of the vocabulary that a block sums up. */
const CHUNK = 4096;

const contiguous = (t: Tensor): Tensor => callTensorOp("aten::contiguous", "", t);

export interface Scored {
  logps: Tensor;
  entropies: Tensor;
  bests: Tensor;
  logSums: Tensor;
}

export class CudaKernels {
  #loaded = new Map<Program, readonly number[]>();

  constructor(
    private readonly launcher: Launcher,
    private readonly dtype: DType,
    private readonly newOutput: typeof ops.empty = ops.empty,
  ) {}

  /** The same, with outputs that begin as no sensible numbers: in a trial, what a kernel leaves out must not be there from before. */
  withSpoiltOutputs(): CudaKernels {
    const spoilt = (shape: readonly number[], options: Parameters<typeof ops.empty>[1]) =>
      ops.full(shape, options?.dtype === "int64" ? -1 : Number.NaN, options);
    const kernels = new CudaKernels(this.launcher, this.dtype, spoilt);
    kernels.#loaded = this.#loaded;
    return kernels;
  }

  /** silu(gate) · up of [..., 2 I]. */
  siluMul(gateUp: Tensor): Tensor {
    const inner = gateUp.size(-1) / 2;
    const out = this.#empty([...gateUp.shape.slice(0, -1), inner], gateUp);
    const blocks = Math.ceil(out.numel / THREADS);
    if (blocks > 0) this.#run("layers", 0, [blocks, 1], THREADS, [contiguous(gateUp), out, out.numel / inner, inner]);
    return out;
  }

  /** The sum of x and delta (x itself without), and its RMS norm times weight. */
  addRmsNorm(x: Tensor, delta: Tensor | null, weight: Tensor, eps: number): [sum: Tensor, normed: Tensor] {
    const dim = x.size(-1);
    const [out, sum] = [this.#empty(x.shape, x), delta ? this.#empty(x.shape, x) : x];
    const args = [contiguous(x), delta && contiguous(delta), weight, delta && sum, out, dim, { float: eps }];
    if (x.numel > 0) this.#run("layers", 1, [x.numel / dim, 1], THREADS, args);
    return [sum, out];
  }

  /**
   * Turns q and k of qkv [B, H + 2 G, K] to each row's position and writes k and v into their slots of the pools [N, S, G, K], by the block
   * tables [B, W]; returns q, [B, H, K].
   */
  rotateAndStore(qkv: Tensor, places: Places, { cos, sin }: { cos: Tensor; sin: Tensor }): Tensor {
    const { positions, blocks, keys, values } = places;
    const [rows, all, dim] = [qkv.size(0), qkv.size(1), qkv.size(2)];
    const kvHeads = keys.size(2);
    const heads = all - 2 * kvHeads;
    const out = this.#empty([rows, heads, dim], qkv);
    const sizes = [heads, kvHeads, blocks.size(1), keys.size(1)];
    const args = [contiguous(qkv), contiguous(positions), contiguous(blocks), cos, sin, out, keys, values, ...sizes];
    this.#run("layers", 2, [rows, all], dim, args);
    return out;
  }

  /** A token of each row of logits [B, V] by `uniform` [B, 1], and its log-probabilities with and without the temperature (above 0). */
  draw(logits: Tensor, uniform: Tensor, temperature: number): [ids: Tensor, samplingLogps: Tensor, logps: Tensor] {
    const [rows, vocab] = [logits.size(0), logits.size(1)];
    const [x, inverse] = [contiguous(logits), { float: 1 / temperature }];
    const chunks = Math.ceil(vocab / CHUNK);
    const stats = this.#float([rows, chunks, 3], x);
    this.#run("draw", 0, [chunks, rows], THREADS, [x, stats, vocab, CHUNK, inverse]);
    const ids = this.newOutput([rows], { dtype: "int64", device: x.device });
    const [sampling, plain] = [this.#float([rows], x), this.#float([rows], x)];
    const args = [x, stats, contiguous(uniform), ids, sampling, plain, vocab, CHUNK, chunks, inverse];
    this.#run("draw", 1, [rows, 1], THREADS, args);
    return [ids, sampling, plain];
  }

  /** Of softmax(logits / temperature), [C, V]: what head.ts needs of each token. */
  headScores(logits: Tensor, targets: Tensor, temperature: number): Scored {
    const [logps, entropies, bests, logSums] = Array.from({ length: 4 }, () => this.#float([logits.size(0)], logits));
    const args = [logits, targets, logps!, entropies!, bests!, logSums!, logits.size(1), { float: 1 / temperature }];
    this.#run("head", 0, [logits.size(0), 1], THREADS, args);
    return { logps: logps!, entropies: entropies!, bests: bests!, logSums: logSums! };
  }

  /** Overwrites logits with the loss's derivative by them: g is that by the log-probabilities, e that by the entropies. */
  headGradient(logits: Tensor, targets: Tensor, scored: Scored, slopes: Slopes, temperature: number): Tensor {
    const vocab = logits.size(1);
    const { logSums, entropies } = scored;
    const given = [contiguous(slopes.g), slopes.e ? contiguous(slopes.e) : null];
    const args = [logits, targets, logSums, entropies, ...given, vocab, { float: 1 / temperature }];
    this.#run("head", 1, [Math.ceil(vocab / THREADS), logits.size(0)], THREADS, args);
    return logits;
  }

  #run(program: Program, index: number, blocks: [number, number], threads: number, args: readonly Argument[]): void {
    const kernels = this.#loaded.get(program) ?? this.launcher.load(program, this.dtype);
    this.#loaded.set(program, kernels);
    this.launcher.launch(kernels[index]!, blocks, threads, args);
  }

  #empty(shape: readonly number[], { device }: Tensor): Tensor {
    return this.newOutput(shape, { dtype: this.dtype, device });
  }
  #float(shape: readonly number[], { device }: Tensor): Tensor {
    return this.newOutput(shape, { dtype: "float32", device });
  }
}

/** Where a decode step's new keys and values go. */
export interface Places {
  positions: Tensor;
  blocks: Tensor;
  keys: Tensor;
  values: Tensor;
}

export interface Slopes {
  g: Tensor;
  e: Tensor | null;
}
