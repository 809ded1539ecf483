import { UserError } from "../errors.js";
import { noGrad } from "./autograd.js";
import * as ops from "./ops.generated.js";
import { keep, scope } from "./scope.js";
import { type Tensor, tensor } from "./tensor.js";

export interface AdamWOptions {
  /** β₁, β₂. */
  betas?: readonly [number, number];
  eps?: number;
  weightDecay?: number;
  /** Parameters the weight decay applies to; by default, as in transformers, all but biases and norms. */
  decays?: (name: string) => boolean;
}

interface Slot {
  name: string;
  /** What the model computes with. */
  weight: Tensor;
  /** What is optimized: the weight itself, or its float32 master copy where the weight is bf16 or fp16. */
  master: Tensor;
  expAvg: Tensor;
  expAvgSq: Tensor;
  step: Tensor;
}

const decaysByDefault = (name: string): boolean => !name.endsWith(".bias") && !/norm/.test(name);

/**
 * AdamW (Loshchilov and Hutter, 2019) through libtorch's fused kernel.
 * bf16 and fp16 weights keep float32 masters: at a learning rate of 1e-6 an update is below their resolution.
 */
export class AdamW {
  readonly #slots: Slot[];
  readonly #options: Required<AdamWOptions>;

  constructor(parameters: ReadonlyMap<string, Tensor>, options: AdamWOptions = {}) {
    this.#options = { betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, decays: decaysByDefault, ...options };
    this.#slots = noGrad(() => scope(() => [...parameters].map(([name, weight]) => newSlot(name, weight))));
  }

  /** One update with learning rate `lr` from the gradients in `.grad`; parameters without one are left alone. */
  step(lr: number): void {
    const { weightDecay, decays } = this.#options;
    noGrad(() =>
      scope(() => {
        const decayed = this.#slots.filter((slot) => decays(slot.name));
        const plain = this.#slots.filter((slot) => !decays(slot.name));
        this.#update(decayed, lr, weightDecay);
        this.#update(plain, lr, 0);
      }),
    );
  }

  #update(slots: readonly Slot[], lr: number, weightDecay: number): void {
    const active = slots.flatMap((slot) => {
      const grad = slot.weight.grad;
      return grad ? [{ slot, grad: slot.master === slot.weight ? grad : grad.to("float32") }] : [];
    });
    if (active.length === 0) return;
    const pick = (key: "master" | "expAvg" | "expAvgSq" | "step") => active.map(({ slot }) => slot[key]);
    ops.foreachAdd_(pick("step"), 1);
    const grads = active.map(({ grad }) => grad);
    ops.fusedAdamw_(pick("master"), grads, pick("expAvg"), pick("expAvgSq"), [], pick("step"), {
      lr,
      beta1: this.#options.betas[0],
      beta2: this.#options.betas[1],
      weightDecay,
      eps: this.#options.eps,
      amsgrad: false,
      maximize: false,
    });
    const halves = active.filter(({ slot }) => slot.master !== slot.weight);
    if (halves.length > 0) {
      ops.foreachCopy_(
        halves.map(({ slot }) => slot.weight),
        halves.map(({ slot }) => slot.master),
      );
    }
  }

  zeroGrad(): void {
    for (const { weight } of this.#slots) weight.grad = null;
  }

  /** Everything a resumed run needs, by name: `exp_avg.*`, `exp_avg_sq.*`, `step.*`, and `master.*` where there are masters. */
  state(): Map<string, Tensor> {
    const out = new Map<string, Tensor>();
    for (const slot of this.#slots) for (const [key, value] of slotTensors(slot)) out.set(key, value);
    return out;
  }

  /** Copies a saved state in; a missing or differently shaped tensor is an error. */
  load(state: ReadonlyMap<string, Tensor>): void {
    noGrad(() => {
      for (const slot of this.#slots) {
        for (const [key, target] of slotTensors(slot)) {
          const saved = state.get(key);
          if (!saved) throw new UserError(`optimizer state has no '${key}': it belongs to another model or precision`);
          if (saved.shape.join() !== target.shape.join()) {
            throw new UserError(
              `optimizer state '${key}' has shape [${saved.shape}], the model needs [${target.shape}]`,
            );
          }
          ops.copy_(target, saved);
        }
      }
    });
  }

  dispose(): void {
    for (const slot of this.#slots) {
      for (const [, value] of slotTensors(slot)) value.dispose();
    }
  }
}

function newSlot(name: string, weight: Tensor): Slot {
  const half = weight.dtype === "bfloat16" || weight.dtype === "float16";
  const master = half ? keep(weight.to("float32")) : weight;
  const device = weight.device;
  return {
    name,
    weight,
    master,
    expAvg: keep(ops.zerosLike(master)),
    expAvgSq: keep(ops.zerosLike(master)),
    step: keep(tensor(0).to(device)),
  };
}

function slotTensors(slot: Slot): [string, Tensor][] {
  const out: [string, Tensor][] = [
    [`exp_avg.${slot.name}`, slot.expAvg],
    [`exp_avg_sq.${slot.name}`, slot.expAvgSq],
    [`step.${slot.name}`, slot.step],
  ];
  if (slot.master !== slot.weight) out.push([`master.${slot.name}`, slot.master]);
  return out;
}
