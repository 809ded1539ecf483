import { z } from "zod";

/** What any trainer's state holds. A checkpoint's bytes are proven by its manifest, but a manifest can be written by hand, too. */
export const BASE_STATE = z.looseObject({
  step: z.int().min(0),
  recipe: z.record(z.string(), z.unknown()),
  numTokens: z.number(),
  unlogged: z.array(z.looseObject({ step: z.number() })),
});
