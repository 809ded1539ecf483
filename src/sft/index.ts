/** Supervised fine-tuning. */
export { type Examples, makeExamples } from "./examples.js";
export { runSft, type SftOutcome } from "./run.js";
export type { Example } from "./types.js";
