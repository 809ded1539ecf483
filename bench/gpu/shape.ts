/** The model that is measured, with random weights made on the device, and what its work costs in bytes and operations. */
import { CausalLM, type ModelConfig, parseConfig, slotsOf } from "../../src/model/index.js";
import { shapeOf } from "../../src/model/load.js";
import { type DType, ITEM_BYTES, noGrad, ops, scope } from "../../src/torch/index.js";

const FAMILY = { architectures: ["Qwen2ForCausalLM"], model_type: "qwen2", hidden_act: "silu", rms_norm_eps: 1e-6 };

/** The config.json of deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B, as far as it decides shapes. */
export const QWEN_1_5B = parseConfig({
  ...FAMILY,
  vocab_size: 151936,
  hidden_size: 1536,
  intermediate_size: 8960,
  num_hidden_layers: 28,
  num_attention_heads: 12,
  num_key_value_heads: 2,
  max_position_embeddings: 131072,
  rope_theta: 10000,
  tie_word_embeddings: false,
});

/** For a run on a CPU, to try the script out. */
export const TINY = parseConfig({
  ...FAMILY,
  vocab_size: 512,
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 1024,
  rope_theta: 10000,
  tie_word_embeddings: false,
});

/** Weights of deviation `std`, norms 1, biases 0, made on the device. */
export function randomOn(config: ModelConfig, device: string, dtype: DType, std = 0.02): CausalLM {
  const weights = noGrad(() =>
    scope(
      () =>
        new Map(
          slotsOf(config).map((slot) => {
            const shape = shapeOf(slot);
            const isNorm = slot.name.endsWith("norm.weight");
            if (slot.columns === undefined)
              return [slot.name, ops[isNorm ? "ones" : "zeros"](shape, { dtype, device })];
            return [slot.name, ops.mul_(ops.randn(shape, { dtype, device }), std)];
          }),
        ),
    ),
  );
  return new CausalLM(config, weights);
}

/** Parameters that every token is multiplied with: all but the embedding, which is looked up. */
export function computedParameters(config: ModelConfig): number {
  const all = slotsOf(config).reduce((sum, slot) => sum + shapeOf(slot).reduce((a, b) => a * b, 1), 0);
  return config.tieWordEmbeddings ? all : all - config.vocabSize * config.hiddenSize;
}

/** Bytes of keys and values per token of context. */
export const cacheBytes = (config: ModelConfig, dtype: DType): number =>
  2 * config.layers * config.kvHeads * config.headDim * ITEM_BYTES[dtype];

/** The fewest bytes a decode step reads: every weight once, and the keys and values of the whole batch. */
export const stepBytes = (config: ModelConfig, dtype: DType, contextTokens: number): number =>
  computedParameters(config) * ITEM_BYTES[dtype] + contextTokens * cacheBytes(config, dtype);

/**
 * Operations of a forward and backward pass over sequences of these lengths: 6 per parameter and token (Kaplan et al. 2020), and causal
 * attention's two products, half of the square each, backward twice as many. Work done again (checkpointing) is not counted.
 */
export function trainingFlops(config: ModelConfig, lengths: readonly number[]): number {
  const tokens = lengths.reduce((a, b) => a + b, 0);
  const squares = lengths.reduce((sum, length) => sum + length * length, 0);
  return 6 * computedParameters(config) * tokens + 6 * config.layers * config.heads * config.headDim * squares;
}
