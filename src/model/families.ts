/**
 * What tells one family of decoders from another, as data: the layers (decoder.ts) have no other knowledge of it. CONTRIBUTING.md shows
 * how to add one.
 */
import { alike, type ParseKinds, slidingWithOwnRope, someUnrotated, upperLayersSlide } from "./layer-kinds.js";

export type Family = "qwen2" | "qwen3" | "llama" | "mistral" | "phi3" | "smollm3" | "gemma3_text" | "olmo2" | "olmo3";

/** Always, never, or as this key of config.json says. */
export type Switch = boolean | "attention_bias" | "mlp_bias";

/** What makes a nonlinearity of the feed-forward's gate, by transformers' name. */
export type Activation = "silu" | "gelu_pytorch_tanh";

/** The norms of a layer, by Hugging Face's names in it. */
export interface LayerNorms {
  beforeAttention?: string;
  /** Of what attention adds to the hidden states. */
  afterAttention?: string;
  beforeMlp?: string;
  /** Of what the feed-forward adds. */
  afterMlp?: string;
}

export interface FamilyTraits {
  /** The class in transformers that config.json must name. */
  architecture: string;
  biases: { qkv: Switch; output: Switch; mlp: Switch };
  /** RMS norm of q and k before the rotation: over each head, or over all of them together. */
  qkNorm: false | "head" | "whole";
  norms: LayerNorms;
  /** Added to the weights of all norms. */
  normOffset: 0 | 1;
  /** The embedding is multiplied by the square root of the hidden size. */
  scaledEmbedding: boolean;
  /** The files hold q, k and v, and gate and up, as one matrix each. */
  stackedFiles: boolean;
  activationKey: "hidden_act" | "hidden_activation";
  kinds: ParseKinds;
  /** Only a part of a head may turn (partial_rotary_factor). */
  partialRotation: boolean;
  /** Other names of some rope_types. */
  ropeAliases?: Readonly<Record<string, string>>;
  /** What transformers takes where config.json is silent. */
  defaults: {
    tied: boolean;
    activation: Activation;
    rmsNormEps: number;
    ropeTheta: number;
    headDim?: number;
    originalMaxPositions?: number;
    /** Scores are divided by the square root of it; of the head's size where a family has no such key. */
    queryScalar?: number;
  };
  /** Settings that transformers would honour, or whose weights it would have, and we compute for one value only. */
  only: Readonly<Record<string, boolean | number>>;
  /** The same for settings that must not be there. */
  without: readonly string[];
}

const OLMO_NORMS: LayerNorms = { afterAttention: "post_attention_layernorm", afterMlp: "post_feedforward_layernorm" };

/** Llama's, from which the others differ. */
const LLAMA: FamilyTraits = {
  architecture: "LlamaForCausalLM",
  biases: { qkv: "attention_bias", output: "attention_bias", mlp: "mlp_bias" },
  qkNorm: false,
  norms: { beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
  normOffset: 0,
  scaledEmbedding: false,
  stackedFiles: false,
  activationKey: "hidden_act",
  kinds: alike("none"),
  partialRotation: false,
  defaults: { tied: false, activation: "silu", rmsNormEps: 1e-6, ropeTheta: 10_000 },
  only: { use_sliding_window: false },
  without: [],
};

export const FAMILIES: Readonly<Record<Family, FamilyTraits>> = {
  llama: LLAMA,
  qwen2: {
    ...LLAMA,
    architecture: "Qwen2ForCausalLM",
    biases: { qkv: true, output: false, mlp: false },
    kinds: upperLayersSlide,
    only: { attention_bias: true, mlp_bias: false, use_mrope: false },
  },
  qwen3: {
    ...LLAMA,
    architecture: "Qwen3ForCausalLM",
    biases: { qkv: "attention_bias", output: "attention_bias", mlp: false },
    qkNorm: "head",
    kinds: upperLayersSlide,
    defaults: { ...LLAMA.defaults, headDim: 128 },
    only: { mlp_bias: false, use_mrope: false },
  },
  mistral: {
    ...LLAMA,
    architecture: "MistralForCausalLM",
    biases: { qkv: false, output: false, mlp: false },
    kinds: alike(4096),
    only: { ...LLAMA.only, attention_bias: false, mlp_bias: false },
  },
  phi3: {
    ...LLAMA,
    architecture: "Phi3ForCausalLM",
    biases: { qkv: false, output: false, mlp: false },
    stackedFiles: true,
    kinds: alike(undefined),
    partialRotation: true,
    ropeAliases: { su: "longrope", yarn: "longrope" },
    defaults: { ...LLAMA.defaults, rmsNormEps: 1e-5, originalMaxPositions: 4096 },
    only: { ...LLAMA.only, attention_bias: false, mlp_bias: false, resid_pdrop: 0, embd_pdrop: 0 },
  },
  smollm3: {
    ...LLAMA,
    architecture: "SmolLM3ForCausalLM",
    kinds: someUnrotated,
    defaults: { ...LLAMA.defaults, tied: true, ropeTheta: 2_000_000 },
    only: {},
  },
  gemma3_text: {
    ...LLAMA,
    architecture: "Gemma3ForCausalLM",
    biases: { qkv: "attention_bias", output: "attention_bias", mlp: false },
    qkNorm: "head",
    norms: {
      beforeAttention: "input_layernorm",
      afterAttention: "post_attention_layernorm",
      beforeMlp: "pre_feedforward_layernorm",
      afterMlp: "post_feedforward_layernorm",
    },
    normOffset: 1,
    scaledEmbedding: true,
    activationKey: "hidden_activation",
    kinds: slidingWithOwnRope({ pattern: 6, theta: 10_000 }),
    defaults: {
      tied: true,
      activation: "gelu_pytorch_tanh",
      rmsNormEps: 1e-6,
      ropeTheta: 1_000_000,
      headDim: 256,
      queryScalar: 256,
    },
    only: { ...LLAMA.only, mlp_bias: false, use_bidirectional_attention: false },
    without: ["attn_logit_softcapping", "final_logit_softcapping"],
  },
  olmo2: {
    ...LLAMA,
    architecture: "Olmo2ForCausalLM",
    biases: { qkv: "attention_bias", output: "attention_bias", mlp: false },
    qkNorm: "whole",
    norms: OLMO_NORMS,
    defaults: { ...LLAMA.defaults, rmsNormEps: 1e-5 },
    only: { ...LLAMA.only, mlp_bias: false },
  },
  olmo3: {
    ...LLAMA,
    architecture: "Olmo3ForCausalLM",
    biases: { qkv: "attention_bias", output: "attention_bias", mlp: false },
    qkNorm: "whole",
    norms: OLMO_NORMS,
    kinds: slidingWithOwnRope({ pattern: 4, theta: 500_000 }),
    defaults: { ...LLAMA.defaults, rmsNormEps: 1e-5, ropeTheta: 500_000 },
    // Of any other outside rope_parameters transformers 5 would take it for the layers that see everything only.
    only: { ...LLAMA.only, mlp_bias: false, rope_theta: 500_000 },
  },
};

export const isFamily = (value: unknown): value is Family =>
  typeof value === "string" && Object.hasOwn(FAMILIES, value);
