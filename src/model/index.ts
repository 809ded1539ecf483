/** Decoder-only transformers read from Hugging Face folders; families.ts lists them. */
export { type Attend, causal, causalSdpa, sdpa } from "./attend.js";
export { type CheckpointDtype, loadConfig, type ModelConfig, parseConfig } from "./config.js";
export { CausalLM } from "./decoder.js";
export { FAMILIES, type Family } from "./families.js";
export { type Piece, type Slot, slotsOf } from "./layout.js";
export { type LoadOptions, loadModel, randomModel } from "./load.js";
export { type AdapterConfig, isAdapterFolder, type LoraScale } from "./lora/config.js";
export { addLora, loraModules, type NewLora } from "./lora/init.js";
export { LORA_MODULES, type LoraModule } from "./lora/names.js";
export { huggingFaceWeights, type SaveModelOptions, saveModel } from "./save.js";
