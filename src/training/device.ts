import { existsSync } from "node:fs";
import { UserError } from "../errors.js";
import type { GrpoRecipe } from "../recipe/index.js";
import { cudaCompiled } from "../torch/cuda.js";
import { cudaDeviceCount, setNumThreads } from "../torch/index.js";

/** What decides where to compute; of the machine by default. */
export interface Gpus {
  /** GPUs that libtorch can use. */
  count: number;
  /** The addon knows CUDA's graphs and memory. */
  compiled: boolean;
  /** The machine has NVIDIA's driver. */
  driver: boolean;
}

const ofThisMachine = (): Gpus => ({
  count: cudaDeviceCount(),
  compiled: cudaCompiled(),
  driver: existsSync("/proc/driver/nvidia/version"),
});

/**
 * Where to compute, as the recipe says; sets the CPU's threads on the way. `auto` takes the CPU where a GPU cannot be used, and says so.
 * @throws UserError if a GPU is asked for that is not there or cannot be used
 */
export function chooseDevice(
  recipe: Pick<GrpoRecipe, "device" | "threads">,
  log: (line: string) => void,
  gpus = ofThisMachine(),
): string {
  if (recipe.threads !== null) setNumThreads(recipe.threads);
  if (recipe.device === "cpu") return "cpu";
  const index = Number(recipe.device.split(":")[1] ?? 0);
  const problem = problemOf(gpus, index);
  if (problem === null) return `cuda:${index}`;
  if (recipe.device !== "auto") throw new UserError(`device is ${recipe.device}, but ${problem}, or set --device cpu`);
  if (gpus.driver || gpus.count > 0) log(`computing on the CPU: ${problem}`);
  return "cpu";
}

function problemOf({ count, compiled }: Gpus, index: number): string | null {
  if (count === 0) return "libtorch finds no GPU: run 'open-rs doctor'";
  if (!compiled) return "the native addon was built without CUDA's headers: run 'open-rs setup', which fetches them";
  return index < count
    ? null
    : `libtorch finds ${count} ${count === 1 ? "GPU" : "GPUs"}, cuda:0${count === 1 ? "" : ` to cuda:${count - 1}`}: name one of them`;
}
