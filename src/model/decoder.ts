/**
 * The decoder-only transformer of Qwen2, Qwen3 and Llama: pre-norm blocks of grouped-query attention with rotary positions and a gated
 * SiLU feed-forward. The three differ in biases and in Qwen3's norm of q and k, all told by the config.
 *
 * B rows, T tokens per row, D hidden size, V vocabulary, H query heads, G key/value heads, K head dimension, I inner size.
 */
import { assert } from "../errors.js";
import { type DType, keep, ops, scope, type Tensor } from "../torch/index.js";
import { type Attend, causal } from "./attend.js";
import type { ModelConfig } from "./config.js";
import { EMBEDDING, FINAL_NORM, HEAD, type Slot, slotsOf } from "./layout.js";
import type { Lora } from "./lora/lora.js";
import { RopeTable, type Rotation } from "./rope.js";

interface Layer {
  inputNorm: Tensor;
  qkv: Tensor;
  qkvBias: Tensor | undefined;
  qNorm: Tensor | undefined;
  kNorm: Tensor | undefined;
  output: Tensor;
  outputBias: Tensor | undefined;
  mlpNorm: Tensor;
  gateUp: Tensor;
  gateUpBias: Tensor | undefined;
  down: Tensor;
  downBias: Tensor | undefined;
}

/** What the layers need to know of a pass besides its hidden states. */
export interface Pass {
  attend: Attend;
  /** None where attention rotates by itself. */
  rotation: Rotation | null;
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
  private readonly rope: RopeTable;

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
    this.rope = new RopeTable(config.rope, config.headDim, this.dtype, this.device);
    this.layers = Array.from({ length: config.layers }, (_, i) => this.layer(`model.layers.${i}.`));
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
    return { attend, rotation: "attendFused" in attend ? null : this.rope.at(attend.positions, attend.length) };
  }

  /** [B, T] → [B, T, D] */
  embed(ids_BT: Tensor): Tensor {
    return ops.embedding(this.weight(EMBEDDING), ids_BT);
  }

  runLayer(index: number, x_BTD: Tensor, pass: Pass): Tensor {
    const layer = this.layers[index];
    assert(layer !== undefined, `the model has no layer ${index}`);
    const attended = this.attention(layer, index, this.norm(x_BTD, layer.inputNorm), pass);
    const [y_BTD, normed] = ops.addRmsNorm(x_BTD, attended, layer.mlpNorm, this.config.rmsNormEps);
    return y_BTD.add(this.feedForward(layer, index, normed));
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
    this.rope.dispose();
  }

  private attention(layer: Layer, index: number, x_BTD: Tensor, { attend, rotation }: Pass): Tensor {
    const { heads, kvHeads, headDim } = this.config;
    const [B, T] = [x_BTD.size(0), x_BTD.size(1)];
    const qkv = this.linear(`model.layers.${index}.self_attn.qkv_proj.weight`, x_BTD, layer.qkv, layer.qkvBias);
    let out_BTC: Tensor;
    if ("attendFused" in attend) {
      out_BTC = attend.attendFused(index, this.normHeads(layer, qkv), this.rope);
    } else {
      const byHead = this.normHeads(layer, qkv).view(B, T, heads + 2 * kvHeads, headDim);
      const [qk, v] = ops.splitSizes(byHead, [heads + kvHeads, kvHeads], { dim: 2 });
      const [q, k] = ops.splitSizes(this.rope.rotate(qk!, rotation!), [heads, kvHeads], { dim: 2 });
      const out_BHTK = attend.attend(index, q!.transpose(1, 2), k!.transpose(1, 2), v!.transpose(1, 2));
      out_BTC = out_BHTK.transpose(1, 2).reshape(B, T, heads * headDim);
    }
    return this.linear(`model.layers.${index}.self_attn.o_proj.weight`, out_BTC, layer.output, layer.outputBias);
  }

  /** Qwen3's norm over each head of q and k; the others pass. */
  private normHeads(layer: Layer, qkv_BTC: Tensor): Tensor {
    if (layer.qNorm === undefined || layer.kNorm === undefined) return qkv_BTC;
    const { heads, kvHeads, headDim } = this.config;
    const byHead = qkv_BTC.view(qkv_BTC.size(0), qkv_BTC.size(1), heads + 2 * kvHeads, headDim);
    const [q, k, v] = ops.splitSizes(byHead, [heads, kvHeads, kvHeads], { dim: 2 });
    return ops.cat([this.norm(q!, layer.qNorm), this.norm(k!, layer.kNorm), v!], { dim: 2 }).view(...qkv_BTC.shape);
  }

  private feedForward(layer: Layer, index: number, x_BTD: Tensor): Tensor {
    const gateUp = this.linear(`model.layers.${index}.mlp.gate_up_proj.weight`, x_BTD, layer.gateUp, layer.gateUpBias);
    return this.linear(`model.layers.${index}.mlp.down_proj.weight`, ops.siluMul(gateUp), layer.down, layer.downBias);
  }

  /** W x + bias of the weight called `name`, and what an adapter adds to it. */
  private linear(name: string, x_BTD: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
    if (!this.lora?.adapts(name)) return ops.linearLayer(x_BTD, weight, { bias });
    const [B, T, D] = [x_BTD.size(0), x_BTD.size(1), x_BTD.size(2)];
    return this.lora.linear(name, x_BTD.reshape(B * T, D), weight, bias).view(B, T, weight.size(0));
  }

  /** RMS norm over the last dimension (Zhang & Sennrich 2019); the sums are float32 whatever the dtype. */
  private norm(x: Tensor, weight: Tensor): Tensor {
    return ops.addRmsNorm(x, null, weight, this.config.rmsNormEps)[1];
  }

  private layer(prefix: string): Layer {
    const optional = (name: string) => this.weights.get(prefix + name);
    return {
      inputNorm: this.weight(`${prefix}input_layernorm.weight`),
      qkv: this.weight(`${prefix}self_attn.qkv_proj.weight`),
      qkvBias: optional("self_attn.qkv_proj.bias"),
      qNorm: optional("self_attn.q_norm.weight"),
      kNorm: optional("self_attn.k_norm.weight"),
      output: this.weight(`${prefix}self_attn.o_proj.weight`),
      outputBias: optional("self_attn.o_proj.bias"),
      mlpNorm: this.weight(`${prefix}post_attention_layernorm.weight`),
      gateUp: this.weight(`${prefix}mlp.gate_up_proj.weight`),
      gateUpBias: optional("mlp.gate_up_proj.bias"),
      down: this.weight(`${prefix}mlp.down_proj.weight`),
      downBias: optional("mlp.down_proj.bias"),
    };
  }

  private weight(name: string): Tensor {
    const weight = this.weights.get(name);
    assert(weight !== undefined, `the model has no weight ${name}`);
    return weight;
  }
}
