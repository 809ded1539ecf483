/** Generation: continuous batching with a KV cache over one model. */
export { Engine, type EngineOptions, type GenerateOptions } from "./engine.js";
export type { Completion, OnToken, SamplingParams, StopReason } from "./types.js";
