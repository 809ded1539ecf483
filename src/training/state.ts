import { z } from "zod";

/** An evaluation may be infinite, which z.number() is not. */
const metric = z.custom<number>((value) => typeof value === "number");
const BEST = z.looseObject({ step: z.int().min(1), value: metric, run: z.string().optional() });

/** What any trainer's state holds. A checkpoint's bytes are proven by its manifest, but a manifest can be written by hand, too. */
export const BASE_STATE = z.looseObject({
  step: z.int().min(0),
  recipe: z.record(z.string(), z.unknown()),
  numTokens: z.number(),
  best: BEST.nullable().optional(),
  unlogged: z.array(z.looseObject({ step: z.number() })),
});
