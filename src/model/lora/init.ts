/** New adapters on a model. */
import { getRngState, manualSeed, noGrad, ops, scope, setRngState } from "../../torch/index.js";
import { CausalLM } from "../decoder.js";
import type { AdapterConfig } from "./config.js";
import { shapesOf } from "./load.js";
import { Lora } from "./lora.js";
import { LORA_MODULES, type LoraModule } from "./names.js";

export interface NewLora extends AdapterConfig {
  /** Which linear maps of each layer; PEFT's default for these families is q_proj and v_proj. */
  modules: readonly LoraModule[];
  seed: number;
}

/**
 * `base` with new adapters: A uniform in ±1/√D (PEFT's kaiming_uniform with a = √5), B zero, so it computes what `base` does at first. The
 * two share the weights, which freezes them: `base` stays the model without adapters. Disposing either frees the weights.
 */
export function addLora(base: CausalLM, { modules, seed, ...config }: NewLora): CausalLM {
  base.requireGrad(false);
  const chosen = new Set<string>(modules);
  const shapes = [...shapesOf(base, config.rank)].filter(([name]) => chosen.has(name.slice(name.lastIndexOf(".") + 1)));
  const before = getRngState();
  manualSeed(seed);
  const lora = noGrad(() =>
    scope(() => {
      const pairs = shapes.map(([name, { a, b }]) => {
        const bound = 1 / Math.sqrt(a[1]);
        return [name, { a: ops.uniform_(ops.empty(a), { from: -bound, to: bound }), b: ops.zeros(b) }] as const;
      });
      return new Lora(config, base.slots, new Map(pairs), base);
    }),
  );
  setRngState(before);
  return new CausalLM(base.config, base.weights, lora);
}

/** `all-linear` and null (PEFT's default) as lists. */
export function loraModules(chosen: "all-linear" | readonly LoraModule[] | null): readonly LoraModule[] {
  if (chosen === null) return ["q_proj", "v_proj"];
  return chosen === "all-linear" ? LORA_MODULES : chosen;
}
