import { isCuda } from "./cuda.js";
import { native } from "./native.js";

/**
 * Runs `body` with algorithms that give the same bits on every run, FlashAttention's backward pass among them; an operator that has none
 * throws. On a CPU all of ours do anyway.
 */
export function deterministically<T>(body: () => T): T {
  native.setDeterministic(true);
  try {
    return body();
  } finally {
    native.setDeterministic(false);
  }
}

/** cuBLAS gives the same bits only with workspaces of a fixed size; it reads this when it is first used. */
export function fixWorkspaces(device: string, env: NodeJS.ProcessEnv = process.env): void {
  if (isCuda(device)) env.CUBLAS_WORKSPACE_CONFIG ??= ":4096:8";
}
