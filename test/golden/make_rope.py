"""Rotary frequencies by transformers' own functions (transformers 5.18, torch 2.13).

    python test/golden/make_rope.py

writes test/fixtures/rope.json: config.json's keys, the head's dimensions that turn, frequencies and the factor of cosines and sines.
"""
import json, pathlib, warnings
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

OUT = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "rope.json"
SIZES = dict(hidden_size=128, num_attention_heads=2, max_position_embeddings=32768)
YARN = dict(rope_type="yarn", rope_theta=1e6, factor=4.0, original_max_position_embeddings=8192)
CASES = [
    dict(rope_type="default", rope_theta=5e5),
    dict(rope_type="linear", rope_theta=10000.0, factor=2.5),
    dict(rope_type="llama3", rope_theta=5e5, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=8192),
    dict(rope_type="dynamic", rope_theta=10000.0, factor=4.0),
    YARN,
    dict(YARN, factor=40.0, mscale=1.0, mscale_all_dim=0.7),
    dict(YARN, attention_factor=1.25, beta_fast=16.0, beta_slow=2.0),
    dict(YARN, rope_theta=10000.0, truncate=False),
    dict(YARN, factor=None),
]


def plain(config):
    return LlamaRotaryEmbedding.compute_default_rope_parameters(config)


cases = []
for parameters in CASES:
    config = LlamaConfig(**SIZES, rope_parameters=dict(parameters))
    frequencies, magnitude = ROPE_INIT_FUNCTIONS.get(parameters["rope_type"], plain)(config)
    cases.append({"config": {"max_position_embeddings": 32768, "rope_parameters": parameters}, "dims": 64,
                  "frequencies": frequencies.tolist(), "magnitude": magnitude})
OUT.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
