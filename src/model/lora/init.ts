/** New adapters on a model. */

import { UserError } from "../../errors.js";
import { getRngState, manualSeed, noGrad, ops, scope, setRngState } from "../../torch/index.js";
import { CausalLM } from "../decoder.js";
import type { AdapterConfig } from "./config.js";
import { shapesOf } from "./load.js";
import { Lora } from "./lora.js";
import { LORA_MODULES, type LoraModule } from "./names.js";

export interface NewLora extends AdapterConfig {
  /** Which linear maps of each layer, of those it has. */
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
  if (shapes.length === 0)
    throw new UserError(`adapters on ${modules.join(", ")}: layers of a ${base.config.family} model have no such maps`);
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

/**
 * Recipe's choice as a list: `all-linear`; null is PEFT's default of q_proj and v_proj, or what a model has instead of them.
 * @throws UserError for a name that the model's layers do not have
 */
export function loraModules(
  chosen: "all-linear" | readonly LoraModule[] | null,
  base: Pick<CausalLM, "slots" | "config">,
): readonly LoraModule[] {
  const names = base.slots.flatMap(({ pieces }) => pieces.map(({ name }) => name));
  const here = LORA_MODULES.filter((module) => names.some((name) => name.endsWith(`.${module}.weight`)));
  if (chosen === "all-linear") return here;
  if (chosen === null) return here.filter((module) => /^(q|v|qkv)_proj$/.test(module));
  const missing = chosen.find((module) => !here.includes(module));
  if (missing === undefined) return chosen;
  throw new UserError(
    `lora_target_modules ${missing}: layers of a ${base.config.family} model have no such map; they have ${here.join(", ")}`,
  );
}
