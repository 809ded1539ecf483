import type { GrpoRecipe } from "../recipe/index.js";
import { deterministically, fixWorkspaces } from "../torch/index.js";

type Keys = Pick<GrpoRecipe, "deterministic">;

/** Before anything is computed on the device. */
export function prepareDeterminism({ deterministic }: Keys, device: string): void {
  if (deterministic) fixWorkspaces(device);
}

/** Runs what learns, as the recipe says. */
export function asDeterministic<T>({ deterministic }: Keys, body: () => T): T {
  return deterministic ? deterministically(body) : body();
}
