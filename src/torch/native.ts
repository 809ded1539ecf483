import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { isMainThread, workerData } from "node:worker_threads";
import { UserError } from "../errors.js";
import type { NativeCuda } from "./cuda.js";
import type { TypedArray } from "./dtype.js";
import { prepareEnvironment } from "./environment.js";
import { makeError } from "./errors.js";

/** The addon (native/): tensors are positive integer handles, 0 is none; dtypes are c10::ScalarType codes. */
export interface Native extends NativeCuda {
  setErrorFactory(make: typeof makeError): void;
  findOp(name: string, overload: string): number;
  call(op: number, ...args: unknown[]): unknown;
  schemas(): string[];
  fromBytes(data: TypedArray, dtype: number, shape: readonly number[]): number;
  toBytes(handle: number): ArrayBuffer;
  shape(handle: number): number[];
  strides(handle: number): number[];
  dtype(handle: number): number;
  device(handle: number): string;
  release(handles: number | readonly number[]): void;
  liveTensors(): number;
  liveBytes(): number;
  backward(tensors: readonly number[], gradients: readonly number[], retainGraph: boolean): void;
  gradients(outputs: readonly number[], inputs: readonly number[], outputGradients: readonly number[]): number[];
  grad(handle: number): number;
  setGrad(handle: number, grad: number): void;
  setRequiresGrad(handle: number, on: boolean): void;
  requiresGrad(handle: number): boolean;
  setGradMode(on: boolean): boolean;
  version(): string;
  cpuCapability(): string;
  ownOperators(): string;
  setOwnOperators(mode: string): void;
  getNumThreads(): number;
  setNumThreads(n: number): void;
  cudaDeviceCount(): number;
  setDeterministic(on: boolean): void;
  manualSeed(seed: number): void;
  getRngState(device: string): number;
  setRngState(device: string, state: number): void;
}

/** Where set-up puts the addon: both src/torch and dist/torch are two folders below the project. */
export const ADDON_PATH = fileURLToPath(new URL("../../build/Release/open_rs.node", import.meta.url));

/** What a rewards worker (src/rewards/user-pool.ts) has as its `workerData.purpose`. */
export const REWARDS_WORKER = "open-rs rewards";

function load(): Native {
  refuseRewardsWorker();
  if (!existsSync(ADDON_PATH)) {
    throw new UserError(`the native addon is not built (${ADDON_PATH}): run 'npx open-rs setup'`);
  }
  prepareEnvironment(process.env);
  const addon = open();
  addon.setErrorFactory(makeError);
  return addon;
}

/** The trainer computes in this process already: its rewards' worker must not be the thread that has libtorch. */
function refuseRewardsWorker(): void {
  const data = workerData as { purpose?: unknown } | null;
  if (isMainThread || data?.purpose !== REWARDS_WORKER) return;
  throw new UserError(
    "tensors and models of open-rs cannot be used in a rewards file, which runs in a thread beside the training: " +
      "use open-rs/math there, or call a process of your own",
  );
}

function open(): Native {
  try {
    return createRequire(import.meta.url)(ADDON_PATH) as Native;
  } catch (error) {
    const [line = ""] = (error as Error).message.split("\n");
    if ((error as NodeJS.ErrnoException).code === "ERR_OPEN_RS_THREAD") throw new UserError(line);
    throw new UserError(`the native addon cannot be loaded (${line}): run 'npx open-rs setup' to build it again`);
  }
}

/** The addon, once something has used it. */
export function loadNative(): Native {
  if (native === unloaded) native = load();
  return native;
}

/**
 * Loads the addon at its first use and steps aside: importing open-rs loads no libtorch, so that what needs none (answers, recipes,
 * datasets, rewards in their worker) works without it.
 */
const unloaded = new Proxy({} as Native, { get: (_unloaded, name) => Reflect.get(loadNative(), name) });

/** The addon. A live binding: after the first use the addon itself. */
export let native: Native = unloaded;
