/**
 * The reference of the KL term that follows the policy (sync_ref_model; TR-DPO, arXiv 2404.09656): every ref_model_sync_steps steps
 * π_ref ← α π + (1 − α) π_ref. A checkpoint then holds it: it cannot be had again from the start.
 */
import fs from "node:fs";
import path from "node:path";
import { assert, UserError } from "../errors.js";
import type { CausalLM } from "../model/index.js";
import type { GrpoRecipe } from "../recipe/index.js";
import { noGrad, ops, scope } from "../torch/index.js";
import { loadSafetensors, saveSafetensors } from "../torch/safetensors.js";

export type SyncKeys = Pick<GrpoRecipe, "sync_ref_model" | "ref_model_mixup_alpha" | "ref_model_sync_steps">;

const FILE = "reference.safetensors";

/** Whether the reference is no longer the start after `step` steps. */
const hasMoved = (step: number, keys: SyncKeys): boolean => keys.sync_ref_model && step >= keys.ref_model_sync_steps;

/** Moves the reference, if it is due after `step`. */
export function syncReference(reference: CausalLM, model: CausalLM, step: number, keys: SyncKeys): void {
  if (!keys.sync_ref_model || step % keys.ref_model_sync_steps !== 0) return;
  const alpha = keys.ref_model_mixup_alpha;
  const now = model.parameters();
  noGrad(() =>
    scope(() => {
      for (const [name, old] of reference.parameters()) {
        const weight = now.get(name);
        assert(weight !== undefined, `the reference's ${name} is none of the model's`);
        ops.add_(ops.mul_(old, 1 - alpha), weight, { alpha });
      }
    }),
  );
}

/** Into a checkpoint's folder. */
export function saveReference(reference: CausalLM, folder: string, step: number, keys: SyncKeys): void {
  if (hasMoved(step, keys)) saveSafetensors(path.join(folder, FILE), reference.parameters());
}

/** @throws UserError if the checkpoint lacks it */
export function loadReference(reference: CausalLM, folder: string, step: number, keys: SyncKeys): void {
  if (!hasMoved(step, keys)) return;
  const file = path.join(folder, FILE);
  if (!fs.existsSync(file))
    throw new UserError(`${folder} has no ${FILE}: a run with sync_ref_model cannot go on from it, start a new one`);
  const { tensors } = loadSafetensors(file);
  noGrad(() => {
    for (const [name, weight] of reference.parameters()) {
      const saved = tensors.get(name);
      assert(saved !== undefined, `${file} has no ${name}`);
      ops.copy_(weight, saved);
    }
  });
  for (const tensor of tensors.values()) tensor.dispose();
}
