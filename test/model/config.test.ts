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
      ropes: [{ theta: 10000, scaling: undefined }],
      kinds: Array.from({ length: 28 }, () => ({ window: undefined, rope: 0 })),
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
    expect(expected.ropes[0]!.scaling).toEqual({
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

  const windows = (raw: Record<string, unknown>) => parseConfig(raw).kinds.map(({ window }) => window);

  it("reads which layers slide, as transformers does without layer_types", () => {
    const qwen = { ...DEEPSEEK, num_hidden_layers: 3, use_sliding_window: true, max_window_layers: 1 };
    expect(windows(qwen)).toEqual([undefined, 4096, 4096]);
    expect(windows({ ...qwen, max_window_layers: 0 })).toEqual([4096, 4096, 4096]);
    const { sliding_window, ...mistral } = rawOf("mistral-window");
    expect(windows(mistral)).toEqual([4096, 4096]);
    expect(windows({ ...mistral, sliding_window: null })).toEqual([undefined, undefined]);
    expect(windows({ ...rawOf("phi3-window"), sliding_window: undefined })).toEqual([undefined, undefined]);
    const { layer_types, ...gemma } = rawOf("gemma3");
    expect(windows({ ...gemma, num_hidden_layers: 7, sliding_window_pattern: undefined })).toEqual([
      9,
      9,
      9,
      9,
      9,
      undefined,
      9,
    ]);
  });

  it("reads which layers rotate, and how", () => {
    const { no_rope_layers, layer_types, ...smol } = rawOf("smollm3");
    const ropes = (raw: Record<string, unknown>) => parseConfig(raw).kinds.map(({ rope }) => rope);
    expect(ropes({ ...smol, no_rope_layers, layer_types })).toEqual([0, 1, 0, 1]);
    expect(ropes({ ...smol, no_rope_layer_interval: undefined })).toEqual([0, 0, 0, 1]);
    expect(windows({ ...smol, use_sliding_window: true, sliding_window: 7 })).toEqual([undefined, 7, undefined, 7]);
    const phi = { ...rawOf("phi3-longrope-partial"), rope_scaling: null, partial_rotary_factor: 0.5 };
    expect(parseConfig(phi).ropes[0]).toMatchObject({ partial: 0.5, scaling: undefined });
    // Long sequences would be rotated otherwise from their first token on.
    expect(parseConfig(rawOf("phi3-longrope-partial"))).toMatchObject({ maxPositions: 64, ropes: [{ limit: 64 }] });
    const dynamic = { ...DEEPSEEK, rope_scaling: { type: "dynamic", factor: 2 } };
    expect(parseConfig(dynamic)).toMatchObject({ maxPositions: 131072, ropes: [{ limit: 131072 }] });
  });

  const refused: [string, Record<string, unknown>, RegExp][] = [
    [
      "another family",
      { model_type: "mixtral" },
      /model_type "mixtral" is not supported; supported: llama, qwen2, qwen3, mistral, phi3, smollm3, gemma3_text, olmo2, olmo3/,
    ],
    ["another head", { architectures: ["Qwen2ForTokenClassification"] }, /Qwen2ForTokenClassification/],
    ["another layer type", { layer_types: Array(28).fill("chunked_attention") }, /layer_types.*"chunked_attention"/],
    ["layer types of another model", { layer_types: ["full_attention"] }, /layer_types has 1 entries, .* is 28/],
    [
      "a layer with a window where none is in use",
      { layer_types: Array(28).fill("sliding_attention") },
      /layer_types has "sliding_attention", but no sliding_window/,
    ],
    ["a window that is none", { use_sliding_window: true, sliding_window: 0 }, /sliding_window must be a positive/],
    ["more layers than there can be", { num_hidden_layers: 1e9 }, /num_hidden_layers is 1000000000, 1024 at most/],
    ["experts", { num_local_experts: 8 }, /num_local_experts 8 is not supported/],
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
    ["a vocabulary beyond any model's", { vocab_size: 2 ** 30 }, /vocab_size is 1073741824, 16777216 at most/],
    ["an id beyond any vocabulary", { eos_token_id: 1e9 }, /eos_token_id must be a token id/],
    ["an id that is none", { eos_token_id: "</s>" }, /eos_token_id must be a token id/],
  ];
  it.each(refused)("refuses %s", (_what, change, message) => {
    const attempt = () => parseConfig({ ...DEEPSEEK, ...change }, "some/config.json");
    expect(attempt).toThrow(UserError);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(/^some\/config\.json: /);
  });

  const RAW_OF = {
    mistral: "mistral-window",
    phi3: "phi3-longrope-partial",
    smollm3: "smollm3",
    gemma3: "gemma3",
    olmo3: "olmo3",
  };
  const refusedIn: [keyof typeof RAW_OF, Record<string, unknown>, RegExp][] = [
    [
      "mistral",
      { layer_types: ["full_attention", "full_attention"] },
      /all layers of this family are sliding_attention/,
    ],
    ["mistral", { attention_bias: true }, /attention_bias true is not supported/],
    ["mistral", { use_sliding_window: true }, /use_sliding_window true is not supported/],
    ["phi3", { resid_pdrop: 0.1 }, /resid_pdrop 0.1 is not supported/],
    [
      "phi3",
      { rope_scaling: { type: "longrope", short_factor: [1], long_factor: [1] } },
      /a list of 8 positive numbers/,
    ],
    ["phi3", { rope_scaling: null, partial_rotary_factor: 0.45 }, /partial_rotary_factor 0.45 makes 7 of 16/],
    ["smollm3", { no_rope_layers: [1, 0] }, /no_rope_layers must have a 0 or 1 for each of the 4 layers/],
    ["gemma3", { attn_logit_softcapping: 50 }, /attn_logit_softcapping 50 is not supported/],
    ["gemma3", { final_logit_softcapping: 30 }, /final_logit_softcapping 30 is not supported/],
    ["gemma3", { use_bidirectional_attention: true }, /use_bidirectional_attention true/],
    ["gemma3", { rope_parameters: { rope_type: "default" } }, /rope_parameters must have full_attention/],
    ["olmo3", { rope_theta: 10_000 }, /rope_theta 10000 is not supported/],
    ["gemma3", { hidden_activation: "gelu" }, /hidden_activation "gelu"/],
  ];
  it.each(refusedIn)("of %s refuses %j", (family, change, message) => {
    const attempt = () => parseConfig({ ...rawOf(RAW_OF[family]), ...change }, "some/config.json");
    expect(attempt).toThrow(UserError);
    expect(attempt).toThrow(message);
  });

  it("names the file that is missing", () => {
    expect(() => loadConfig("/nowhere/at/all")).toThrow(/\/nowhere\/at\/all\/config\.json: not found/);
  });
});
