/** Adapters → a folder that PEFT loads: adapter_model.safetensors and adapter_config.json. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../../files/atomic.js";
import { noGrad, scope } from "../../torch/index.js";
import { saveSafetensors } from "../../torch/safetensors.js";
import { ADAPTER_CONFIG_FILE, ADAPTER_WEIGHTS_FILE, adapterConfigJson, PEFT_PREFIX } from "./config.js";
import type { Lora } from "./lora.js";
import { LORA_MODULES } from "./names.js";

/** Writes A and B of every module, float32, under PEFT's names; `layers` as many as the model has. Returns the files written. */
export function saveLora(lora: Lora, dir: string, layers: number): string[] {
  const [weights, config] = [join(dir, ADAPTER_WEIGHTS_FILE), join(dir, ADAPTER_CONFIG_FILE)];
  const names = noGrad(() =>
    scope(() => {
      const modules = lora.modules();
      const tensors = [...modules].flatMap(([name, { a, b }]) => [
        [`${PEFT_PREFIX}${name}.lora_A.weight`, a] as const,
        [`${PEFT_PREFIX}${name}.lora_B.weight`, b] as const,
      ]);
      saveSafetensors(weights, new Map(tensors));
      return [...modules.keys()];
    }),
  );
  writeFileAtomic(config, `${JSON.stringify(adapterConfigJson(lora.config, targets(names, layers)), null, 2)}\n`);
  return [weights, config];
}

/** q_proj where every layer's has an adapter, else the full names of those that have. */
function targets(modules: readonly string[], layers: number): string[] {
  return LORA_MODULES.flatMap((short) => {
    const full = modules.filter((name) => name.endsWith(`.${short}`));
    return full.length === layers ? [short] : full;
  });
}

/** After a whole model was written: an adapter left here by an earlier run would be taken for it. */
export function removeAdapterFiles(dir: string): void {
  for (const file of [ADAPTER_CONFIG_FILE, ADAPTER_WEIGHTS_FILE]) rmSync(join(dir, file), { force: true });
}
