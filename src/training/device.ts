import { UserError } from "../errors.js";
import type { GrpoRecipe } from "../recipe/index.js";
import { cudaDeviceCount, setNumThreads } from "../torch/index.js";

/** Where to compute, as the recipe says; sets the CPU's threads on the way. */
export function chooseDevice(recipe: Pick<GrpoRecipe, "device" | "threads">): string {
  if (recipe.threads !== null) setNumThreads(recipe.threads);
  const gpus = cudaDeviceCount();
  if (recipe.device === "cuda" && gpus === 0) {
    throw new UserError("device is cuda, but libtorch finds no GPU: run 'open-rs doctor', or set --device cpu");
  }
  return recipe.device === "cpu" || gpus === 0 ? "cpu" : "cuda:0";
}
