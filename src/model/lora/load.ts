/** A PEFT adapter's folder → adapters on a loaded base; and adapters → plain weights. */
import { join } from "node:path";
import { UserError } from "../../errors.js";
import { keep, type Tensor } from "../../torch/index.js";
import { loadSafetensors } from "../../torch/safetensors.js";
import { CausalLM } from "../decoder.js";
import { ADAPTER_WEIGHTS_FILE, type AdapterConfig, PEFT_PREFIX } from "./config.js";
import { Lora } from "./lora.js";
import { stemOf } from "./slot.js";

/** Reads adapter_model.safetensors. Throws UserError for weights that do not belong to `base`. */
export function loadLora(dir: string, config: AdapterConfig, base: CausalLM): Lora {
  const path = join(dir, ADAPTER_WEIGHTS_FILE);
  const { tensors } = loadSafetensors(path);
  try {
    const pairs = pairUp(tensors, path);
    const expected = shapesOf(base, config.rank);
    for (const [module, { a, b }] of pairs) {
      const shapes = expected.get(module);
      if (shapes === undefined) {
        throw new UserError(
          `${path}: ${module} has an adapter, but is no linear map of the ${base.config.family} model's layers`,
        );
      }
      check(a, shapes.a, `${module}.lora_A`, path);
      check(b, shapes.b, `${module}.lora_B`, path);
    }
    return new Lora(config, base.slots, pairs, base);
  } finally {
    for (const tensor of tensors.values()) tensor.dispose();
  }
}

function pairUp(tensors: ReadonlyMap<string, Tensor>, path: string): Map<string, { a: Tensor; b: Tensor }> {
  const pairs = new Map<string, { a: Tensor; b: Tensor }>();
  for (const [name, a] of tensors) {
    const match = /^base_model\.model\.(.+)\.lora_([AB])\.weight$/.exec(name);
    const [, module = "", letter] = match ?? [];
    const other = `${PEFT_PREFIX}${module}.lora_${letter === "A" ? "B" : "A"}.weight`;
    const b = tensors.get(other);
    if (match === null) {
      throw new UserError(
        `${path} holds ${name}, which is not part of a LoRA adapter on a linear map: merge it with PEFT`,
      );
    }
    if (b === undefined) throw new UserError(`${path} holds ${name} but not ${other}`);
    if (letter === "A") pairs.set(module, { a, b });
  }
  if (pairs.size === 0) throw new UserError(`${path} holds no adapter weights`);
  return pairs;
}

/** Shapes of A and B of every module that an adapter may be on. */
export function shapesOf(base: CausalLM, rank: number): Map<string, { a: [number, number]; b: [number, number] }> {
  const linear = base.slots.filter((slot) => slot.columns !== undefined && /^model\.layers\./.test(slot.name));
  return new Map(
    linear.flatMap(({ pieces, columns = 0 }) =>
      pieces.map(({ name, rows }) => [stemOf(name), { a: [rank, columns], b: [rows, rank] }] as const),
    ),
  );
}

function check(tensor: Tensor, shape: readonly number[], name: string, path: string): void {
  if (tensor.shape.join() === shape.join()) return;
  throw new UserError(
    `${path}: ${name} has shape [${tensor.shape.join(", ")}], but the base model and r in adapter_config.json ask for [${shape.join(", ")}]`,
  );
}

/** The same model with its adapters added into the weights; disposes `model`. */
export function mergeLora(model: CausalLM): CausalLM {
  const { lora } = model;
  if (lora === undefined) return model;
  const weights = new Map(
    [...model.weights].map(([name, weight]) => {
      const own = keep(lora.adapts(name) ? lora.merged(name, weight) : weight.detach());
      // At once: there is not room for all of them twice.
      weight.dispose();
      return [name, own];
    }),
  );
  model.dispose();
  return new CausalLM(model.config, weights);
}
