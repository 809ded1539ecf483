/**
 * Low-rank adapters (Hu et al. 2021, arXiv 2106.09685) on a frozen model: y = W x + scale · B A dropout(x) for chosen linear maps. Each
 * Hugging Face module (q_proj, …) has its own A and B, as in PEFT. In memory the adapters of one of our stacked weights (layout.ts) are
 * stacked too, which makes two products of n: one with all A below each other, one with the B as blocks of a matrix.
 *
 * A and B are float32, also beside a bfloat16 base, and are rounded to the base's dtype for the products: what PEFT does under autocast.
 *
 * N tokens, D input size, O output size of the stacked weight, r rank, n adapted modules in it, R = n · r.
 */
import { type DType, keep, noGrad, ops, scope, type Tensor } from "../../torch/index.js";
import type { Slot } from "../layout.js";
import { type AdapterConfig, scaleOf } from "./config.js";
import { DropoutSeeds } from "./dropout.js";
import {
  type AdapterSlot,
  blocks,
  disposeSlot,
  inDtype,
  type Modules,
  modulesIn,
  type Place,
  stack,
  stemOf,
} from "./slot.js";

/** The operands of a stacked weight's two products. */
interface Product {
  a_RD: Tensor;
  b_OR: Tensor;
}

const product = (slot: AdapterSlot, dtype: DType): Product => ({
  a_RD: inDtype(slot.a_RD, dtype),
  b_OR: blocks(slot, dtype),
});

export class Lora {
  readonly config: AdapterConfig;
  readonly #slots: ReadonlyMap<string, AdapterSlot>;
  readonly #scale: number;
  readonly #dtype: DType;
  readonly #dropout = new DropoutSeeds();
  /** What the products take, computed once for many passes; each is kept at its address, for captured CUDA graphs. */
  readonly #buffers = new Map<string, Product>();
  #held: ReadonlyMap<string, Product> = new Map();

  /** `modules`: A [r, D] and B [rows, r] by module name (`model.layers.0.self_attn.q_proj`), copied; `place`: the base's. */
  constructor(config: AdapterConfig, slots: readonly Slot[], modules: Modules, place: Place) {
    this.config = config;
    this.#dtype = place.dtype;
    this.#scale = scaleOf(config);
    const adapted = slots.filter((slot) => slot.columns !== undefined && modulesIn(slot, modules).length > 0);
    this.#slots = noGrad(() =>
      scope(() => new Map(adapted.map((slot) => [slot.name, stack(slot, modules, config.rank, place)]))),
    );
  }

  /** The trainable tensors, two for each stacked weight, in the order of the forward pass. */
  parameters(): Map<string, Tensor> {
    return new Map(
      [...this.#slots].flatMap(([name, { a_RD, b_Or }]): [string, Tensor][] => [
        [`${stemOf(name)}.lora_A.weight`, a_RD],
        [`${stemOf(name)}.lora_B.weight`, b_Or],
      ]),
    );
  }

  /** A and B of each module, as views. */
  modules(): Modules {
    const r = this.config.rank;
    return new Map(
      [...this.#slots.values()].flatMap(({ a_RD, b_Or, modules }) =>
        modules.map(({ name, row, rows }, j) => [name, { a: a_RD.narrow(0, j * r, r), b: b_Or.narrow(0, row, rows) }]),
      ),
    );
  }

  /** Trained numbers: of A and B, without the rows that hold none. */
  get size(): number {
    return [...this.#slots.values()].reduce((sum, slot) => {
      const rows = slot.modules.reduce((total, module) => total + module.rows, 0);
      return sum + slot.a_RD.numel + rows * this.config.rank;
    }, 0);
  }

  /** x [N, D] → what the stacked weight `name` gives, W x + bias, plus what its adapters add; [N, O]. */
  linear(name: string, x_ND: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
    const y_NO = ops.linearLayer(x_ND, weight, { bias });
    const slot = this.#slots.get(name);
    if (slot === undefined) return y_NO;
    const { a_RD, b_OR } = this.#held.get(name) ?? product(slot, x_ND.dtype);
    const inner_NR = ops.linearLayer(this.#drop(name, x_ND), a_RD);
    return ops.addmm_(y_NO, inner_NR, b_OR.transpose(0, 1), { alpha: this.#scale });
  }

  /**
   * From here on to the end of `hold` (call what it returns) the adapters are taken for constant: their products' operands are computed
   * now, once, for all passes without gradients. For sampling, where passes are small and many.
   */
  hold(): () => void {
    noGrad(() =>
      scope(() => {
        for (const [name, slot] of this.#slots) this.#fill(name, product(slot, this.#dtype));
      }),
    );
    this.#held = this.#buffers;
    return () => {
      this.#held = new Map();
    };
  }

  #fill(name: string, { a_RD, b_OR }: Product): void {
    const buffer = this.#buffers.get(name);
    if (buffer === undefined) {
      this.#buffers.set(name, { a_RD: keep(a_RD.clone()), b_OR: keep(b_OR.clone()) });
      return;
    }
    ops.copy_(buffer.a_RD, a_RD);
    ops.copy_(buffer.b_OR, b_OR);
  }

  adapts(name: string): boolean {
    return this.#slots.has(name);
  }

  /** W + scale · B A, computed in float32, in W's dtype; W itself where nothing is adapted. */
  merged(name: string, weight: Tensor): Tensor {
    const slot = this.#slots.get(name);
    if (slot === undefined) return weight;
    const whole = () =>
      ops.addmm(weight.to("float32"), blocks(slot, "float32"), slot.a_RD, { alpha: this.#scale }).to(weight.dtype);
    return noGrad(() => scope(whole));
  }

  /**
   * Runs `body` with dropout on. The masks are a function of `seed`, of how many forward passes `body` made before, and of the place in the
   * model: a layer that is recomputed for its gradient sees the same ones, and the random state of sampling does not move.
   */
  withDropout<T>(seed: readonly number[], device: string, body: () => T): T {
    return this.config.dropout === 0 ? body() : this.#dropout.during(seed, device, body);
  }

  /** Tells that a new forward pass begins. */
  beginForward(): void {
    this.#dropout.next();
  }

  dispose(): void {
    for (const slot of this.#slots.values()) disposeSlot(slot);
    for (const each of this.#buffers.values()) for (const tensor of Object.values(each)) tensor.dispose();
  }

  #drop(name: string, x: Tensor): Tensor {
    if (!this.#dropout.active) return x;
    this.#dropout.seedFor(name);
    return ops.dropout(x, this.config.dropout, true);
  }
}
