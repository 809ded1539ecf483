/**
 * config.json is read in both spellings, and what we would not compute is refused by name.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import { loadConfig, parseConfig } from "../../src/model/index.js";
import { fixtureDir } from "./fixtures.js";

const rawOf = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(`${fixtureDir(name)}/config.json`, "utf8"));

/** The DeepSeek-R1-Distill-Qwen-1.5B config, in its maker's spelling. */
const DEEPSEEK = {
  architectures: ["Qwen2ForCausalLM"],
  attention_dropout: 0.0,
  bos_token_id: 151643,
  eos_token_id: 151643,
  hidden_act: "silu",
  hidden_size: 1536,
  intermediate_size: 8960,
  max_position_embeddings: 131072,
  max_window_layers: 21,
  model_type: "qwen2",
  num_attention_heads: 12,
  num_hidden_layers: 28,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  sliding_window: 4096,
  tie_word_embeddings: false,
  torch_dtype: "bfloat16",
  use_mrope: false,
  use_sliding_window: false,
  vocab_size: 151936,
};

describe("parseConfig", () => {
  it("reads DeepSeek-R1-Distill-Qwen-1.5B", () => {
    expect(parseConfig(DEEPSEEK)).toMatchObject({
      family: "qwen2",
      layers: 28,
      heads: 12,
      kvHeads: 2,
      headDim: 128,
      qkvBias: true,
      outputBias: false,
      tieWordEmbeddings: false,
      rope: { theta: 10000, scaling: undefined },
      dtype: "bfloat16",
      bosTokenId: 151643,
      eosTokenIds: [151643],
      padTokenId: undefined,
    });
  });

  it("reads the old and the new spelling of one model alike", () => {
    const old = rawOf("llama3-rope-old");
    const { rope_theta, rope_scaling, torch_dtype, ...rest } = old;
    const renewed = { ...rest, dtype: torch_dtype, rope_parameters: { rope_theta, ...(rope_scaling as object) } };
    const { rope_type, ...scaling } = rope_scaling as Record<string, unknown>;
    const ancient = { ...old, rope_scaling: { type: rope_type, ...scaling } };
    const expected = { ...parseConfig(old), raw: {} };
    expect(expected.rope.scaling).toEqual({
      type: "llama3",
      factor: 8,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPositions: 32,
    });
    expect({ ...parseConfig(renewed), raw: {} }).toEqual(expected);
    expect({ ...parseConfig(ancient), raw: {} }).toEqual(expected);
  });

  it("takes several end-of-sequence ids and an explicit head_dim", () => {
    const config = parseConfig({ ...rawOf("qwen3"), eos_token_id: [2, 5] });
    expect(config.eosTokenIds).toEqual([2, 5]);
    expect(config.headDim).toBe(16);
  });

  const refused: [string, Record<string, unknown>, RegExp][] = [
    [
      "another family",
      { model_type: "gemma3" },
      /model_type "gemma3" is not supported; supported: qwen2, qwen3, llama/,
    ],
    ["another head", { architectures: ["Qwen2ForTokenClassification"] }, /Qwen2ForTokenClassification/],
    ["a sliding window", { use_sliding_window: true }, /use_sliding_window true/],
    [
      "a layer with a window",
      { layer_types: ["full_attention", "sliding_attention"] },
      /layer_types.*sliding_attention/,
    ],
    ["another activation", { hidden_act: "gelu" }, /hidden_act "gelu"/],
    [
      "an unknown rope",
      { rope_scaling: { type: "axial", factor: 4 } },
      /rope_scaling\.rope_type "axial" is not supported; supported: default, linear, dynamic, llama3, yarn/,
    ],
    ["yarn without a factor", { rope_scaling: { type: "yarn" } }, /rope_scaling\.factor is missing/],
    ["rope per layer type", { rope_parameters: { full_attention: { rope_type: "default" } } }, /full_attention/],
    ["partial rotation", { rope_parameters: { partial_rotary_factor: 0.5 } }, /partial_rotary_factor 0.5/],
    ["dropout", { attention_dropout: 0.1 }, /attention_dropout 0.1/],
    ["quantisation", { quantization_config: { bits: 4 } }, /quantization_config/],
    ["an unknown dtype", { torch_dtype: "float8_e4m3fn" }, /float8_e4m3fn/],
    ["mrope", { use_mrope: true }, /use_mrope true/],
    ["Qwen2 without biases", { attention_bias: false }, /attention_bias false/],
    ["uneven groups", { num_key_value_heads: 5 }, /12 is not a multiple of num_key_value_heads 5/],
    ["an odd head", { head_dim: 127 }, /head_dim 127 is odd/],
    ["a missing field", { hidden_size: undefined }, /hidden_size is missing/],
    ["a wrong type", { hidden_size: "1536" }, /hidden_size must be a positive number, not "1536"/],
    ["a fraction", { num_hidden_layers: 2.5 }, /num_hidden_layers must be a whole number/],
    ["a flag that is none", { tie_word_embeddings: "no" }, /tie_word_embeddings must be true or false/],
    ["an id that is none", { eos_token_id: "</s>" }, /eos_token_id must be a token id/],
  ];
  it.each(refused)("refuses %s", (_what, change, message) => {
    const attempt = () => parseConfig({ ...DEEPSEEK, ...change }, "some/config.json");
    expect(attempt).toThrow(UserError);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(/^some\/config\.json: /);
  });

  it("names the file that is missing", () => {
    expect(() => loadConfig("/nowhere/at/all")).toThrow(/\/nowhere\/at\/all\/config\.json: not found/);
  });
});
