import { z } from "zod";
import { BASE_STATE } from "../training/state.js";

/** What a GRPO checkpoint's state must hold to be gone on from; older ones lack the rest (`ofToday` in trainer.ts). */
export const GRPO_STATE = BASE_STATE.extend({
  sampler: z.looseObject({
    seed: z.number(),
    shuffle: z.boolean(),
    size: z.number(),
    fingerprint: z.string(),
    epoch: z.int().min(0),
    position: z.int().min(0),
  }),
  rng: z.looseObject({ cpu: z.instanceof(Uint8Array), device: z.instanceof(Uint8Array).optional() }),
  pending: z.looseObject({}).nullable().optional(),
});
