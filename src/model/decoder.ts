/**
 * The decoder-only transformer: blocks of grouped-query attention with rotary positions and a gated feed-forward. Families differ in
 * biases, norms, windows and rotations, all told by the config (families.ts); the layers have no branch for any of them.
 *
 * B rows, T tokens per row, D hidden size, V vocabulary, H query heads, G key/value heads, K head dimension, I inner size.
 */
import { assert } from "../errors.js";
import type { CudaKernels } from "../torch/cuda-kernels.js";
import { cudaKernels, type KernelPart } from "../torch/cuda-trials.js";
import { type DType, gradEnabled, keep, ops, scope, type Tensor, tensor } from "../torch/index.js";
import { type Attend, type AttentionLayer, besideEachOther, causal, rotatedHeads } from "./attend.js";
import type { ModelConfig } from "./config.js";
import type { Activation } from "./families.js";
import { EMBEDDING, FINAL_NORM, HEAD, type Slot, slotsOf } from "./layout.js";
import type { Lora } from "./lora/lora.js";
import { RopeTable, type Rotation } from "./rope.js";

interface Layer extends AttentionLayer {
  /** Which of the model's. */
  rope: number;
  inputNorm: Tensor | undefined;
  qkv: Tensor;
  qkvBias: Tensor | undefined;
  qNorm: Tensor | undefined;
  kNorm: Tensor | undefined;
  output: Tensor;
  outputBias: Tensor | undefined;
  attendedNorm: Tensor | undefined;
  mlpNorm: Tensor | undefined;
  gateUp: Tensor;
  gateUpBias: Tensor | undefined;
  down: Tensor;
  downBias: Tensor | undefined;
  fedNorm: Tensor | undefined;
}

/** gate and up side by side [… 2I] → activation(gate) · up */
const GATED: Record<Activation, (gateUp: Tensor) => Tensor> = {
  silu: ops.siluMul,
  gelu_pytorch_tanh: (gateUp) => {
    const inner = gateUp.size(-1) / 2;
    const [gate, up] = ops.splitSizes(gateUp, [inner, inner], { dim: -1 });
    return ops.gelu(gate!, { approximate: "tanh" }).mul(up!);
  },
};

/** What the layers need to know of a pass besides its hidden states. */
export interface Pass {
  attend: Attend;
  /** One for each of the model's rotary embeddings; none where attention rotates by itself. */
  rotations: readonly Rotation[];
}

export class CausalLM {
  readonly config: ModelConfig;
  readonly dtype: DType;
  readonly device: string;
  readonly slots: readonly Slot[];
  /** By slot name; without the adapters. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Adapters that are trained instead of the weights. */
  readonly lora: Lora | undefined;
  private readonly layers: readonly Layer[];
  private readonly ropes: readonly RopeTable[];
  private readonly embeddingScale: number;

  /** `weights` by slot name (layout.ts), all of one dtype on one device; the model owns them from here. Users call `loadModel`. */
  constructor(config: ModelConfig, weights: ReadonlyMap<string, Tensor>, lora?: Lora) {
    this.config = config;
    this.weights = weights;
    this.lora = lora;
    this.slots = slotsOf(config);
    for (const weight of weights.values()) keep(weight);
    const embedding = this.weight(EMBEDDING);
    this.dtype = embedding.dtype;
    this.device = embedding.device;
    this.ropes = config.ropes.map((rope) => new RopeTable(rope, config.headDim, this.dtype, this.device));
    this.layers = Array.from({ length: config.layers }, (_, i) => this.layer(i, `model.layers.${i}.`));
    this.embeddingScale = roundedTo(this.dtype, config.embeddingScale);
  }

  /**
   * The trainable tensors by our names, in a fixed order: the weights (`slots` tells which Hugging Face weights each holds), or the
   * adapters where there are any.
   */
  parameters(): ReadonlyMap<string, Tensor> {
    return this.lora?.parameters() ?? this.weights;
  }

  /** The output matrix [V, D]; the embedding itself when they are tied. */
  get head_VD(): Tensor {
    return this.weight(this.config.tieWordEmbeddings ? EMBEDDING : HEAD);
  }

  /** Turns gradients on or off for all parameters; returns the model. */
  requireGrad(on: boolean): this {
    for (const weight of this.parameters().values()) weight.requiresGrad = on;
    return this;
  }

  /** Runs `body` with the adapters' dropout, if they have any: its masks follow from `seed` (lora.ts). */
  withDropout<T>(seed: readonly number[], body: () => T): T {
    return this.lora ? this.lora.withDropout(seed, this.device, body) : body();
  }

  /**
   * Token ids (int64) [T] or [B, T] → final hidden states [T, D] or [B, T, D], after the last norm. Follows the current grad mode.
   * `attend` says how tokens see each other; by default each row is one sequence from position 0, padded on the right.
   */
  forward(ids: Tensor, attend?: Attend): Tensor {
    return scope(() => {
      const ids_BT = ids.dim === 1 ? ids.unsqueeze(0) : ids;
      const pass = this.begin(attend ?? causal(ids_BT.size(1), this.device));
      let x_BTD = this.embed(ids_BT);
      for (let index = 0; index < this.layers.length; index++) {
        const input = x_BTD;
        x_BTD = scope(() => this.runLayer(index, input, pass));
        input.dispose();
      }
      const hidden = this.finalNorm(x_BTD);
      return ids.dim === 1 ? hidden.squeeze(0) : hidden;
    });
  }

  // The parts of `forward`, for passes that go through the layers in their own way.

  begin(attend: Attend): Pass {
    this.lora?.beginForward();
    if ("attendFused" in attend) return { attend, rotations: [] };
    return { attend, rotations: this.ropes.map((rope) => rope.at(attend.positions, attend.length)) };
  }

  /** [B, T] → [B, T, D] */
  embed(ids_BT: Tensor): Tensor {
    const x_BTD = ops.embedding(this.weight(EMBEDDING), ids_BT);
    return this.embeddingScale === 1 ? x_BTD : x_BTD.mul(this.embeddingScale);
  }

  runLayer(index: number, x_BTD: Tensor, pass: Pass): Tensor {
    const layer = this.layers[index];
    assert(layer !== undefined, `the model has no layer ${index}`);
    const attended = this.normed(this.attention(layer, this.normed(x_BTD, layer.inputNorm), pass), layer.attendedNorm);
    const [y_BTD, normed] = this.addNormed(x_BTD, attended, layer.mlpNorm);
    return y_BTD.add(this.normed(this.feedForward(layer, normed), layer.fedNorm));
  }

  finalNorm(x_BTD: Tensor): Tensor {
    return this.norm(x_BTD, this.weight(FINAL_NORM));
  }

  /** Hidden states […, D] → logits […, V] in the model's dtype. */
  logits(hidden: Tensor): Tensor {
    return ops.linearLayer(hidden, this.head_VD);
  }

  /** Frees all weights. */
  dispose(): void {
    for (const weight of this.weights.values()) weight.dispose();
    this.lora?.dispose();
    for (const rope of this.ropes) rope.dispose();
  }

  private attention(layer: Layer, x_BTD: Tensor, { attend, rotations }: Pass): Tensor {
    const { index } = layer;
    const rope = this.ropes[layer.rope]!;
    const product = this.linear(`model.layers.${index}.self_attn.qkv_proj.weight`, x_BTD, layer.qkv, layer.qkvBias);
    const qkv_BTC = this.normHeads(layer, product);
    const out_BTC =
      "attendFused" in attend
        ? attend.attendFused(layer, qkv_BTC, rope)
        : besideEachOther(attend.attend(layer, ...rotatedHeads(qkv_BTC, rope, rotations[layer.rope]!, this.config)));
    return this.linear(`model.layers.${index}.self_attn.o_proj.weight`, out_BTC, layer.output, layer.outputBias);
  }

  /** The norms of q and k, in families that have them: over as many numbers as their weights have, a head's or all heads'. */
  private normHeads(layer: Layer, qkv_BTC: Tensor): Tensor {
    const { qNorm, kNorm } = layer;
    if (qNorm === undefined || kNorm === undefined) return qkv_BTC;
    const { heads, kvHeads, headDim } = this.config;
    const [B, T] = [qkv_BTC.size(0), qkv_BTC.size(1)];
    const sizes = [heads * headDim, kvHeads * headDim, kvHeads * headDim];
    const [q, k, v] = ops.splitSizes(qkv_BTC, sizes, { dim: 2 });
    const normed = (x_BTE: Tensor, weight: Tensor) =>
      this.norm(x_BTE.view(B, T, x_BTE.size(2) / weight.size(0), weight.size(0)), weight).view(...x_BTE.shape);
    return ops.cat([normed(q!, qNorm), normed(k!, kNorm), v!], { dim: 2 });
  }

  private feedForward(layer: Layer, x_BTD: Tensor): Tensor {
    const { index } = layer;
    const { activation } = this.config;
    const gateUp = this.linear(`model.layers.${index}.mlp.gate_up_proj.weight`, x_BTD, layer.gateUp, layer.gateUpBias);
    const kernels = activation === "silu" ? this.kernels("siluMul") : null;
    const gated = kernels ? kernels.siluMul(gateUp) : GATED[activation](gateUp);
    return this.linear(`model.layers.${index}.mlp.down_proj.weight`, gated, layer.down, layer.downBias);
  }

  /** Our kernels on a GPU, which have no gradients. */
  private kernels(part: KernelPart): CudaKernels | null {
    return this.device === "cpu" || gradEnabled() ? null : cudaKernels(this.device, this.dtype, part);
  }

  /** W x + bias of the weight called `name`, and what an adapter adds to it. */
  private linear(name: string, x_BTD: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
    if (!this.lora?.adapts(name)) return ops.linearLayer(x_BTD, weight, { bias });
    const [B, T, D] = [x_BTD.size(0), x_BTD.size(1), x_BTD.size(2)];
    return this.lora.linear(name, x_BTD.reshape(B * T, D), weight, bias).view(B, T, weight.size(0));
  }

  /** RMS norm over the last dimension (Zhang & Sennrich 2019); the sums are float32 whatever the dtype. */
  private norm(x: Tensor, weight: Tensor): Tensor {
    return this.addNorm(x, null, weight)[1];
  }

  /** x + delta (or x), and its norm. */
  private addNorm(x: Tensor, delta: Tensor | null, weight: Tensor): [sum: Tensor, normed: Tensor] {
    const { normOffset, rmsNormEps } = this.config;
    if (normOffset === 0) return (this.kernels("addRmsNorm") ?? ops).addRmsNorm(x, delta, weight, rmsNormEps);
    // Weight and offset are added in float32: below it the sum would lose the weight's last bits.
    const sum = delta === null ? x : x.add(delta);
    const gain = weight.to("float32").add(normOffset);
    return [sum, ops.addRmsNorm(sum.to("float32"), null, gain, rmsNormEps)[1].to(this.dtype)];
  }

  /** The same, the sum itself where there is no such norm. */
  private addNormed(x: Tensor, delta: Tensor, weight: Tensor | undefined): [sum: Tensor, normed: Tensor] {
    if (weight !== undefined) return this.addNorm(x, delta, weight);
    const sum = x.add(delta);
    return [sum, sum];
  }

  /** The norm where there is such a one. */
  private normed(x: Tensor, weight: Tensor | undefined): Tensor {
    return weight === undefined ? x : this.norm(x, weight);
  }

  private layer(index: number, prefix: string): Layer {
    const optional = (name: string) => this.weights.get(prefix + name);
    const { norms, kinds } = this.config;
    return {
      index,
      ...kinds[index]!,
      inputNorm: optional(`${norms.beforeAttention}.weight`),
      qkv: this.weight(`${prefix}self_attn.qkv_proj.weight`),
      qkvBias: optional("self_attn.qkv_proj.bias"),
      qNorm: optional("self_attn.q_norm.weight"),
      kNorm: optional("self_attn.k_norm.weight"),
      output: this.weight(`${prefix}self_attn.o_proj.weight`),
      outputBias: optional("self_attn.o_proj.bias"),
      attendedNorm: optional(`${norms.afterAttention}.weight`),
      mlpNorm: optional(`${norms.beforeMlp}.weight`),
      gateUp: this.weight(`${prefix}mlp.gate_up_proj.weight`),
      gateUpBias: optional("mlp.gate_up_proj.bias"),
      down: this.weight(`${prefix}mlp.down_proj.weight`),
      downBias: optional("mlp.down_proj.bias"),
      fedNorm: optional(`${norms.afterMlp}.weight`),
    };
  }

  private weight(name: string): Tensor {
    const weight = this.weights.get(name);
    assert(weight !== undefined, `the model has no weight ${name}`);
    return weight;
  }
}

/** transformers rounds the embedding's factor to the weights' dtype before it multiplies. */
const roundedTo = (dtype: DType, x: number): number => scope(() => tensor([x]).to(dtype).item());
