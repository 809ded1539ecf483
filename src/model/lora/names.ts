/**
 * The linear maps of a layer that an adapter may be added to, by Hugging Face's names; the stacked ones are Phi-3's. (No libtorch here:
 * recipes read it.)
 */
export const LORA_MODULES = [
  "q_proj",
  "k_proj",
  "v_proj",
  "o_proj",
  "gate_proj",
  "up_proj",
  "down_proj",
  "qkv_proj",
  "gate_up_proj",
] as const;
export type LoraModule = (typeof LORA_MODULES)[number];
