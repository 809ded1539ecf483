/**
 * What of CUDA has no operator: its caching allocator, events, and graphs of captured kernels. Functions that take a device do nothing
 * on a CPU; the others throw, saying why, where the addon was built without CUDA.
 */

import { callTensorOp } from "./call.js";
import { native } from "./native.js";
import * as ops from "./ops.generated.js";
import type { Tensor } from "./tensor.js";

/** The addon's functions (native/cuda.cc); events and graphs are positive integers. */
export interface NativeCuda {
  cudaCompiled(): boolean;
  cudaSynchronize(device: number): void;
  cudaProperties(device: number): [name: string, capability: string, multiprocessors: number, bytes: number];
  cudaMemory(device: number): [number, number, number, number, number, number];
  cudaResetPeakMemory(device: number): void;
  cudaEmptyCache(): void;
  cudaEvent(device: number): number;
  cudaEventRecord(event: number): void;
  cudaEventSynchronize(event: number): void;
  cudaEventElapsed(from: number, to: number): number;
  cudaEventRelease(event: number): void;
  cudaSideStream(device: number, on: boolean): void;
  cudaGraph(device: number, sharesMemoryOf: number): number;
  cudaGraphBegin(graph: number): void;
  cudaGraphEnd(graph: number): void;
  cudaGraphReplay(graph: number): void;
  cudaGraphRelease(graph: number): void;
  /** Kernels of a binary that NVRTC made, by their names in it. */
  cudaLoadKernels(device: number, binary: ArrayBuffer, names: readonly string[]): number[];
  /** `kinds`: a letter per argument, t a tensor's handle (0: null), i an int64, f a float32. */
  cudaLaunch(
    kernel: number,
    blocksX: number,
    blocksY: number,
    threads: number,
    kinds: string,
    args: readonly number[],
  ): void;
  nvrtcCompile(
    library: string,
    source: string,
    name: string,
    options: readonly string[],
    expressions: readonly string[],
  ): [binary: ArrayBuffer, names: string[]];
}

export const isCuda = (device: string): boolean => device.startsWith("cuda");

/** Whether the addon knows graphs, events and the allocator: it was built for a libtorch with CUDA, with CUDA's headers. */
export const cudaCompiled = (): boolean => native.cudaCompiled();

export const deviceIndex = (device: string): number => Number(device.split(":")[1] ?? 0);

/** Waits until the device has done everything asked of it. */
export function synchronize(device: string): void {
  if (isCuda(device)) native.cudaSynchronize(deviceIndex(device));
}

export interface CudaDevice {
  name: string;
  /** Compute capability, e.g. 9.0. */
  capability: string;
  multiprocessors: number;
  /** Memory in bytes. */
  bytes: number;
}

export function cudaDevice(device = "cuda:0"): CudaDevice {
  const [name, capability, multiprocessors, bytes] = native.cudaProperties(deviceIndex(device));
  return { name, capability, multiprocessors, bytes };
}

/** In bytes. `reserved` is what libtorch's allocator has taken from the device, `allocated` what tensors hold of it. */
export interface CudaMemory {
  allocated: number;
  reserved: number;
  peakAllocated: number;
  peakReserved: number;
  /** Of the device, for all its users. */
  free: number;
  total: number;
}

/** null on a CPU. */
export function cudaMemory(device: string): CudaMemory | null {
  if (!isCuda(device)) return null;
  const [allocated, reserved, peakAllocated, peakReserved, free, total] = native.cudaMemory(deviceIndex(device));
  return { allocated, reserved, peakAllocated, peakReserved, free, total };
}

/** Peaks count from here. */
export function resetPeakMemory(device: string): void {
  if (isCuda(device)) native.cudaResetPeakMemory(deviceIndex(device));
}

/** Gives memory that no tensor holds back to the device. */
export function emptyCache(device: string): void {
  if (isCuda(device)) native.cudaEmptyCache();
}

/** Whether memory that no tensor holds is better given back before other sizes are asked for. */
export const isTight = ({ allocated, reserved, free, total }: CudaMemory): boolean =>
  free < total / 8 && reserved - allocated > total / 16;

/** Between sampling and learning: what one has left of its memory, in its sizes, the other may not be able to use. */
export function emptyCacheIfTight(device: string): void {
  const memory = cudaMemory(device);
  if (memory && isTight(memory)) emptyCache(device);
}

/** A point in the stream of work; on a CPU, where work is done when its call returns, a reading of the clock. */
export class DeviceEvent {
  #id = 0;
  #time = 0;

  constructor(private readonly device: string) {}

  record(): void {
    if (!isCuda(this.device)) {
      this.#time = performance.now();
      return;
    }
    this.#id ||= native.cudaEvent(deviceIndex(this.device));
    native.cudaEventRecord(this.#id);
  }

  /** Waits for everything before it. */
  wait(): void {
    if (this.#id) native.cudaEventSynchronize(this.#id);
  }

  /** Milliseconds from `earlier` to this one; waits for both. */
  since(earlier: DeviceEvent): number {
    return this.#id ? native.cudaEventElapsed(earlier.#id, this.#id) : this.#time - earlier.#time;
  }

  dispose(): void {
    if (this.#id) native.cudaEventRelease(this.#id);
    this.#id = 0;
  }
}

/** Runs `body` on the stream that graphs are captured on: libraries get ready for it, which they must not do in a capture. */
export function onCaptureStream(device: string, body: () => void): void {
  native.cudaSideStream(deviceIndex(device), true);
  try {
    body();
  } finally {
    native.cudaSideStream(deviceIndex(device), false);
  }
}

/**
 * Kernels captured once and launched again with one call. Tensors they read and write must keep their memory: allocate them before, write
 * new values into them. Nothing in `body` may wait for the device.
 */
export class CudaGraph {
  #id = 0;

  constructor(private readonly device: string) {}

  /** Captures what `body` launches, without running it. Temporaries share the memory of `other`: never run the two at once. */
  capture(body: () => void, other?: CudaGraph): void {
    this.#id = native.cudaGraph(deviceIndex(this.device), other ? other.#id : 0);
    native.cudaGraphBegin(this.#id);
    inTurn(body, () => native.cudaGraphEnd(this.#id));
  }

  replay(): void {
    native.cudaGraphReplay(this.#id);
  }

  dispose(): void {
    if (this.#id) native.cudaGraphRelease(this.#id);
    this.#id = 0;
  }
}

/** `body`, then `end`; what `body` throws comes before the consequence it has for `end`. */
export function inTurn(body: () => void, end: () => void): void {
  let cause: unknown;
  let failed = false;
  try {
    body();
  } catch (error) {
    [cause, failed] = [error, true];
  }
  try {
    end();
  } catch (error) {
    if (!failed) throw error;
  }
  if (failed) throw cause;
}

/** A tensor of the host's that a CUDA device reads and writes while the program goes on; for a CPU the tensor itself. */
export function pinned(tensor: Tensor, device: string): Tensor {
  return isCuda(device) ? callTensorOp("aten::pin_memory", "", tensor) : tensor;
}

/** Copies from the host without waiting for it (the memory it is copied from is kept until then). */
export function upload(target: Tensor, source: Tensor): Tensor {
  const { device } = target;
  return ops.copy_(target, pinned(source, device), { nonBlocking: isCuda(device) });
}
