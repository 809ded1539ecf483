import { UserError } from "../errors.js";
import { type MomentPrecision, type MomentRows, type Moments, momentsOf } from "./adamw-moments.js";
import { type Slice, sliceOf, type Weights, weightsOf } from "./adamw-weights.js";
import { noGrad } from "./autograd.js";
import * as ops from "./ops.generated.js";
import { withSeed } from "./random.js";
import { mixSeeds, RoundingNoise } from "./rounding.js";
import { keep, scope } from "./scope.js";
import { type Tensor, tensor } from "./tensor.js";

export interface AdamWOptions {
  /** β₁, β₂. */
  betas?: readonly [number, number];
  eps?: number;
  weightDecay?: number;
  /** Parameters the weight decay applies to; by default, as in transformers, all but biases and norms. */
  decays?: (name: string) => boolean;
  /** Keep float32 copies of half-precision weights; without, bfloat16 weights are rounded stochastically. Default true. */
  masterWeights?: boolean;
  /** What the moments are kept in. Default float32. */
  moments?: MomentPrecision;
  /** Of the stochastic rounding. Each step's noise follows from it and the number of the step. */
  seed?: number;
}

interface Slot {
  name: string;
  /** What the model computes with. */
  weight: Tensor;
  weights: Weights;
  moments: Moments;
  step: Tensor;
}

/** A slice of a parameter with its gradient. */
interface Piece extends Slice {
  slot: Slot;
  grad: Tensor;
}

/**
 * Elements updated at once where float32 copies are made: on a CPU what stays in its cache (measured: bench/adamw.ts), on a GPU what keeps
 * it busy. A multiple of the 8-bit moments' block.
 */
const SLICE = { cpu: 1 << 17, cuda: 1 << 22 };

const decaysByDefault = (name: string): boolean => !name.endsWith(".bias") && !/norm/.test(name);

/**
 * AdamW (Loshchilov and Hutter, 2019) through libtorch's fused kernel, in float32 whatever weights and moments are kept in:
 * each slice is read as float32, updated and written back. Bytes per parameter beside a bf16 weight: 12 with masters and float32 moments,
 * 4 with bf16 moments and no masters, 2 with 8-bit ones.
 */
export class AdamW {
  readonly #slots: Slot[];
  readonly #options: Required<AdamWOptions>;
  /** Steps taken, of which the rounding's noise depends; null where nothing is rounded at random. */
  readonly #updates: Tensor | null;

  constructor(parameters: ReadonlyMap<string, Tensor>, options: AdamWOptions = {}) {
    this.#options = {
      ...{ betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, decays: decaysByDefault },
      ...{ masterWeights: true, moments: "float32", seed: 0 },
      ...options,
    };
    this.#slots = noGrad(() =>
      scope(() => [...parameters].map(([name, weight]) => newSlot(name, weight, this.#options))),
    );
    const rounds = this.#slots.some(({ weights, moments }) => weights.rounds || moments.rounds);
    this.#updates = rounds ? scope(() => keep(tensor(0, [], "int64"))) : null;
  }

  /** One update with learning rate `lr` from the gradients in `.grad`; parameters without one are left alone. */
  step(lr: number): void {
    noGrad(() =>
      scope(() => {
        const active = this.#slots.flatMap((slot) => {
          const grad = slot.weight.grad;
          return grad ? [{ slot, grad }] : [];
        });
        const first = active[0];
        if (first === undefined) return;
        ops.foreachAdd_(
          active.map(({ slot }) => slot.step),
          1,
        );
        const { device } = first.slot.weight;
        const noise = new RoundingNoise(device);
        this.#seeded(device, () => this.#updateAll(active, lr, noise));
        noise.dispose();
      }),
    );
  }

  /** Runs `body` with this step's own random numbers: those of sampling go on undisturbed, and a resumed run draws the same. */
  #seeded(device: string, body: () => void): void {
    if (this.#updates === null) {
      body();
      return;
    }
    const seed = mixSeeds(this.#options.seed, this.#updates.item());
    ops.add_(this.#updates, 1);
    withSeed(seed, device, body);
  }

  #updateAll(active: readonly { slot: Slot; grad: Tensor }[], lr: number, noise: RoundingNoise): void {
    const { weightDecay, decays } = this.#options;
    const decayed = active.filter(({ slot }) => decays(slot.name));
    const plain = active.filter(({ slot }) => !decays(slot.name));
    for (const batch of batches(decayed)) scope(() => this.#update(batch, lr, weightDecay, noise));
    for (const batch of batches(plain)) scope(() => this.#update(batch, lr, 0, noise));
  }

  #update(batch: readonly Piece[], lr: number, weightDecay: number, noise: RoundingNoise): void {
    const rows = batch.map((piece) => ({
      piece,
      weights: piece.slot.weights.read(piece),
      ...piece.slot.moments.read(piece),
    }));
    const grads = rows.map(({ piece, weights }) => sliceOf(piece.grad, piece).to(weights.dtype));
    const pick = (key: "weights" | keyof MomentRows) => rows.map((row) => row[key]);
    const steps = batch.map(({ slot }) => slot.step);
    ops.fusedAdamw_(pick("weights"), grads, pick("expAvg"), pick("expAvgSq"), [], steps, {
      lr,
      beta1: this.#options.betas[0],
      beta2: this.#options.betas[1],
      weightDecay,
      eps: this.#options.eps,
      amsgrad: false,
      maximize: false,
    });
    for (const { piece, weights, ...moments } of rows) {
      piece.slot.weights.write(piece, weights, noise);
      piece.slot.moments.write(piece, moments, noise);
    }
  }

  zeroGrad(): void {
    for (const { weight } of this.#slots) weight.grad = null;
  }

  /**
   * Everything a resumed run needs, by name: `step.*`, `master.*` where there are masters, `exp_avg.*` and `exp_avg_sq.*` (8-bit moments:
   * `exp_avg_ratio.*`, `exp_avg_sq_code.*`, `exp_avg_sq_floor.*`), and `rounding.updates` where rounding is random.
   */
  state(): Map<string, Tensor> {
    const out = new Map<string, Tensor>();
    for (const slot of this.#slots) for (const [key, value] of slotTensors(slot)) out.set(`${key}.${slot.name}`, value);
    if (this.#updates) out.set("rounding.updates", this.#updates);
    return out;
  }

  /** Copies a saved state in; a missing, differently shaped or differently stored tensor is an error. */
  load(state: ReadonlyMap<string, Tensor>): void {
    noGrad(() => {
      for (const [key, target] of this.state()) {
        const saved = state.get(key);
        if (!saved) throw new UserError(`optimizer state has no '${key}': it belongs to another model or precision`);
        if (saved.shape.join() !== target.shape.join()) {
          throw new UserError(`optimizer state '${key}' has shape [${saved.shape}], the model needs [${target.shape}]`);
        }
        if (saved.dtype !== target.dtype) {
          throw new UserError(
            `optimizer state '${key}' is ${saved.dtype}, this run keeps ${target.dtype}: go on with the optim it began with`,
          );
        }
        ops.copy_(target, saved);
      }
    });
  }

  dispose(): void {
    for (const value of this.state().values()) value.dispose();
  }
}

function newSlot(name: string, weight: Tensor, options: Required<AdamWOptions>): Slot {
  return {
    name,
    weight,
    weights: weightsOf(name, weight, options.masterWeights),
    moments: momentsOf(options.moments, weight, options.betas),
    step: keep(tensor(0).to(weight.device)),
  };
}

function slotTensors({ weights, moments, step }: Slot): [string, Tensor][] {
  return [...moments.state(), ["step", step], ...weights.state()];
}

/** The parameters in pieces that are updated together: all at once where no copies are made, else so many that the copies stay small. */
function* batches(active: readonly { slot: Slot; grad: Tensor }[]): Generator<Piece[]> {
  let batch: Piece[] = [];
  let elements = 0;
  for (const piece of active.flatMap(piecesOf)) {
    const copied = isDirect(piece.slot) ? 0 : piece.length;
    if (batch.length > 0 && elements + copied > sliceLength(piece.slot)) {
      yield batch;
      [batch, elements] = [[], 0];
    }
    batch.push(piece);
    elements += copied;
  }
  if (batch.length > 0) yield batch;
}

function piecesOf({ slot, grad }: { slot: Slot; grad: Tensor }): Piece[] {
  const numel = slot.weight.numel;
  const flat = grad.reshape(-1);
  const size = isDirect(slot) ? Math.max(numel, 1) : sliceLength(slot);
  return Array.from({ length: Math.ceil(numel / size) }, (_, i) => {
    const start = i * size;
    return { slot, grad: flat, start, length: Math.min(size, numel - start) };
  });
}

const isDirect = ({ weights, moments }: Slot): boolean => weights.direct && moments.direct;

const sliceLength = ({ weight }: Slot): number => (weight.device === "cpu" ? SLICE.cpu : SLICE.cuda);
