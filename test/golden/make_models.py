"""Small random checkpoints and Hugging Face's own numbers for them (transformers 5.18, torch 2.13).

    OMP_NUM_THREADS=1 python test/golden/make_models.py [NAME...]

writes test/fixtures/models/<name>/: the checkpoint and golden.json:
    sequences   token ids
    logprobs    log p(ids[t+1] | ids[..t]) in float32 compute, one list per sequence
    entropy     of the next-token distribution at the same positions
    logprobs_bf16 (bf16 checkpoints) the same with bfloat16 compute
    grads       of the mean negative log-probability of sequence 0, per parameter: L2 norm and the sum of g * sin(i)
    greedy      24 greedily decoded ids after the first 5 tokens of sequence 0
"""
import json, pathlib, shutil, sys
import torch
from transformers import (AutoModelForCausalLM, Gemma3ForCausalLM, Gemma3TextConfig, LlamaConfig, LlamaForCausalLM, MistralConfig,
                          MistralForCausalLM, Olmo2Config, Olmo2ForCausalLM, Olmo3Config, Olmo3ForCausalLM, Phi3Config, Phi3ForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM,
                          SmolLM3Config, SmolLM3ForCausalLM)

OUT = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "models"
SMALL = dict(vocab_size=96, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=128, bos_token_id=1, eos_token_id=2, pad_token_id=0)
ROPE = dict(rope_type="default", rope_theta=10000.0)
LLAMA3 = dict(rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=32)
YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=32)


def randomise(model, seed):
    """Wider than the default initialisation, biases and norms too, so that every weight matters to the output."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            if name.endswith("norm.weight"):
                p.copy_(0.2 * noise if model.config.model_type.startswith("gemma") else 1 + 0.2 * noise)
            elif p.dim() == 1:
                p.copy_(0.3 * noise)
            elif "embed" in name or "lm_head" in name:
                p.copy_(0.35 * noise)
            else:
                p.copy_(1.3 * noise / p.shape[1] ** 0.5)


def old_spelling(folder):
    """config.json as transformers 4 wrote it: rope_theta and rope_scaling on their own, torch_dtype."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    rope = config.pop("rope_parameters")
    if "full_attention" in rope:
        config["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
        config["sliding_window_pattern"] = config["layer_types"].index("full_attention") + 1
        for key in ("layer_types", "tie_word_embeddings"):
            del config[key]
        rope = rope["full_attention"]
    config["rope_theta"] = rope.pop("rope_theta")
    config["rope_scaling"] = rope if rope["rope_type"] != "default" else None
    config["torch_dtype"] = config.pop("dtype")
    config["transformers_version"] = "4.44.0"
    path.write_text(json.dumps(config, indent=2) + "\n")


def next_token(model, ids):
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0, :-1].float()
    logp = logits.log_softmax(-1)
    return (logp.gather(1, torch.tensor(ids[1:])[:, None])[:, 0].tolist(), (-(logp.exp() * logp).sum(-1)).tolist())


def gradients(model, ids):
    model.zero_grad()
    logits = model(torch.tensor([ids])).logits[0, :-1].float()
    torch.nn.functional.cross_entropy(logits, torch.tensor(ids[1:])).backward()
    out = {}
    for name, p in model.named_parameters():
        g = p.grad.double().flatten()
        out[name] = [g.norm().item(), (g * torch.arange(g.numel()).double().sin()).sum().item()]
    return out


def rounded(x):
    return [rounded(y) for y in x] if isinstance(x, list) else {k: rounded(v) for k, v in x.items()} if isinstance(x, dict) else \
        float(f"{x:.8g}") if isinstance(x, float) else x


def make(name, model_class, config, seed, dtype=torch.float32, old=False, shard=None):
    if len(sys.argv) > 1 and name not in sys.argv[1:]:
        return
    folder = OUT / name
    shutil.rmtree(folder, ignore_errors=True)
    torch.manual_seed(seed)
    model = model_class(config)
    randomise(model, seed)
    model = model.to(dtype)
    model.save_pretrained(folder, **({"max_shard_size": shard} if shard else {}))
    if old:
        old_spelling(folder)

    generator = torch.Generator().manual_seed(100 + seed)
    sequences = [torch.randint(3, config.vocab_size, (n,), generator=generator).tolist() for n in (60, 17, 2)]
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    pairs = [next_token(model, ids) for ids in sequences]
    golden = {"sequences": sequences, "logprobs": [p[0] for p in pairs], "entropy": [p[1] for p in pairs],
              "grads": gradients(model, sequences[0])}
    greedy = model.generate(torch.tensor([sequences[0][:5]]), attention_mask=torch.ones(1, 5, dtype=torch.long), max_new_tokens=24,
                            min_new_tokens=24, do_sample=False)
    golden["greedy"] = greedy[0, 5:].tolist()
    if dtype == torch.bfloat16:
        half = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).eval()
        golden["logprobs_bf16"] = [next_token(half, ids)[0] for ids in sequences]
    (folder / "golden.json").write_text(json.dumps(rounded(golden)) + "\n")
    size = sum(f.stat().st_size for f in folder.iterdir())
    lp = torch.tensor(golden["logprobs"][0])
    print(f"{name}: {size // 1000} kB, logp mean {lp.mean():.2f} std {lp.std():.2f}, entropy {sum(golden['entropy'][0]) / 59:.2f}")


make("qwen2-tied", Qwen2ForCausalLM, Qwen2Config(**SMALL, rope_parameters=ROPE, tie_word_embeddings=True), 1, old=True)
make("qwen2-untied-bf16-sharded", Qwen2ForCausalLM,
     Qwen2Config(**SMALL, rope_parameters=dict(ROPE, rope_theta=1e6), tie_word_embeddings=False), 2, torch.bfloat16, shard="20KB")
make("qwen3", Qwen3ForCausalLM,
     Qwen3Config(**SMALL, head_dim=16, rope_parameters=dict(ROPE, rope_theta=1e6), tie_word_embeddings=True), 3)
make("llama3-rope-old", LlamaForCausalLM, LlamaConfig(**SMALL, rope_parameters=LLAMA3, tie_word_embeddings=True), 4, old=True)
make("llama3-rope-new-biased", LlamaForCausalLM,
     LlamaConfig(**{**SMALL, "num_key_value_heads": 1}, rope_parameters=LLAMA3, tie_word_embeddings=False, attention_bias=True, mlp_bias=True), 5)
make("qwen3-yarn", Qwen3ForCausalLM, Qwen3Config(**SMALL, head_dim=16, rope_parameters=YARN, tie_word_embeddings=True), 6, old=True)
# Windows that prompts, completions and shared prompts exceed. The window of a layer counts the token itself.
make("mistral-window", MistralForCausalLM,
     MistralConfig(**SMALL, head_dim=16, sliding_window=11, rope_parameters=dict(ROPE, rope_type="linear", factor=2.0)), 7)
make("qwen2-window", Qwen2ForCausalLM,
     Qwen2Config(**SMALL, use_sliding_window=True, sliding_window=13, max_window_layers=1, rope_parameters=ROPE, tie_word_embeddings=True), 8)
make("phi3-window", Phi3ForCausalLM, Phi3Config(**{**SMALL, "num_attention_heads": 2, "num_key_value_heads": 1}, sliding_window=17, rope_parameters=ROPE), 9)
make("phi3-longrope-partial", Phi3ForCausalLM,
     Phi3Config(**{**SMALL, "hidden_size": 64}, original_max_position_embeddings=64, tie_word_embeddings=True, rope_parameters=dict(
         rope_type="longrope", rope_theta=10000.0, partial_rotary_factor=0.75, original_max_position_embeddings=64,
         short_factor=[1.0, 1.1, 1.3, 1.7, 2.5, 4.0], long_factor=[2.0, 2.1, 2.3, 2.7, 3.5, 5.0])), 10, old=True)
make("smollm3", SmolLM3ForCausalLM,
     SmolLM3Config(**{**SMALL, "num_hidden_layers": 4}, head_dim=16, rope_parameters=dict(ROPE, rope_theta=5e6), no_rope_layer_interval=2), 11)
GEMMA = dict(rope_parameters={"full_attention": dict(rope_type="linear", rope_theta=1e6, factor=8.0),
                              "sliding_attention": dict(rope_type="default", rope_theta=10000.0)})
make("gemma3", Gemma3ForCausalLM,
     Gemma3TextConfig(**{**SMALL, "num_hidden_layers": 4}, head_dim=16, sliding_window=9, sliding_window_pattern=3, query_pre_attn_scalar=24, **GEMMA), 12)
make("gemma3-old-bf16", Gemma3ForCausalLM,
     Gemma3TextConfig(**{**SMALL, "num_hidden_layers": 3}, head_dim=32, sliding_window=8, sliding_window_pattern=2, query_pre_attn_scalar=32, **GEMMA),
     13, torch.bfloat16, old=True)
make("olmo2", Olmo2ForCausalLM, Olmo2Config(**SMALL, head_dim=16, rope_parameters=dict(ROPE, rope_theta=5e5), attention_bias=True), 14)
make("olmo3", Olmo3ForCausalLM,
     Olmo3Config(**SMALL, sliding_window=10, layer_types=["sliding_attention", "full_attention"], rope_parameters={
         "full_attention": dict(YARN, rope_theta=5e5), "sliding_attention": dict(ROPE, rope_theta=5e5)}), 15)
