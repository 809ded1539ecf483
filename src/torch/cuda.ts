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
  cudaSynchronize(): void;
  cudaProperties(device: number): [name: string, capability: string, multiprocessors: number, bytes: number];
  cudaMemory(device: number): [number, number, number, number, number, number];
  cudaResetPeakMemory(device: number): void;
  cudaEmptyCache(): void;
  cudaEvent(): number;
  cudaEventRecord(event: number): void;
  cudaEventSynchronize(event: number): void;
  cudaEventElapsed(from: number, to: number): number;
  cudaEventRelease(event: number): void;
  cudaSideStream(on: boolean): void;
  cudaGraph(): number;
  cudaGraphBegin(graph: number, sharesMemoryOf: number): void;
  cudaGraphEnd(graph: number): void;
  cudaGraphReplay(graph: number): void;
  cudaGraphRelease(graph: number): void;
}

export const isCuda = (device: string): boolean => device.startsWith("cuda");

/** Whether the addon knows graphs, events and the allocator: it was built for a libtorch with CUDA, with CUDA's headers. */
export const cudaCompiled = (): boolean => native.cudaCompiled();

const indexOf = (device: string): number => Number(device.split(":")[1] ?? 0);

/** Waits until the device has done everything asked of it. */
export function synchronize(device: string): void {
  if (isCuda(device)) native.cudaSynchronize();
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
  const [name, capability, multiprocessors, bytes] = native.cudaProperties(indexOf(device));
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
  const [allocated, reserved, peakAllocated, peakReserved, free, total] = native.cudaMemory(indexOf(device));
  return { allocated, reserved, peakAllocated, peakReserved, free, total };
}

/** Peaks count from here. */
export function resetPeakMemory(device: string): void {
  if (isCuda(device)) native.cudaResetPeakMemory(indexOf(device));
}

/** Gives memory that no tensor holds back to the device. */
export function emptyCache(device: string): void {
  if (isCuda(device)) native.cudaEmptyCache();
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
    this.#id ||= native.cudaEvent();
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
export function onCaptureStream(body: () => void): void {
  native.cudaSideStream(true);
  try {
    body();
  } finally {
    native.cudaSideStream(false);
  }
}

/**
 * Kernels captured once and launched again with one call. Tensors they read and write must keep their memory: allocate them before, write
 * new values into them. Nothing in `body` may wait for the device.
 */
export class CudaGraph {
  #id = 0;

  /** Captures what `body` launches, without running it. Temporaries share the memory of `other`: never run the two at once. */
  capture(body: () => void, other?: CudaGraph): void {
    this.#id = native.cudaGraph();
    native.cudaGraphBegin(this.#id, other ? other.#id : 0);
    try {
      body();
    } finally {
      native.cudaGraphEnd(this.#id);
    }
  }

  replay(): void {
    native.cudaGraphReplay(this.#id);
  }

  dispose(): void {
    if (this.#id) native.cudaGraphRelease(this.#id);
    this.#id = 0;
  }
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
