export { type HubOptions, type HubRepo, type HubSnapshot, openHubRepo } from "../files/hub.js";
export { type DatasetOptions, loadDataset } from "./dataset.js";
export { checkGolds, type GoldColumn, type GoldReport, goldOf } from "./gold.js";
export { readJsonLines } from "./jsonl.js";
export { placeOf, rowName } from "./places.js";
export { makePrompts, type PromptOptions, type Prompts } from "./prompts.js";
export { mapRows } from "./rows.js";
export { PromptSampler, type SamplerState } from "./sampler.js";
export type { Dataset, Prompt, Row } from "./types.js";
