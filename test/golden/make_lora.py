"""LoRA adapters made by PEFT on the golden checkpoints of make_models.py, and PEFT's own numbers (peft 0.21, transformers 5.18, torch 2.13).

    OMP_NUM_THREADS=1 python test/golden/make_lora.py [NAME...]

writes test/fixtures/lora/<name>/: the adapter as PEFT saves it, with random B, and
    golden.json         sequences; logprobs with the adapter, base with the adapter disabled, merged after merge_and_unload (float32)
    grads.safetensors   by the adapter's names: gradients of the mean negative log-probability of sequence 0
and for a bfloat16 base logprobs_bf16: PEFT's with the base in bfloat16 and the adapter in float32, as it loads them.
"""
import json, pathlib, shutil, sys
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "fixtures"


def logprobs(model, ids, grad=False):
    with torch.set_grad_enabled(grad):
        logp = model(torch.tensor([ids])).logits[0, :-1].float().log_softmax(-1)
        return logp.gather(1, torch.tensor(ids[1:])[:, None])[:, 0]


def rounded(rows):
    return [[float(f"{x:.8g}") for x in row.tolist()] for row in rows]


def make(name, base, seed, **settings):
    if len(sys.argv) > 1 and name not in sys.argv[1:]:
        return
    folder = FIXTURES / "lora" / name
    shutil.rmtree(folder, ignore_errors=True)
    source = FIXTURES / "models" / base
    config = LoraConfig(task_type="CAUSAL_LM", lora_dropout=0.05, **settings)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32), config).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.5 / parameter.shape[1] ** 0.5)
    model.save_pretrained(folder)
    path = folder / "adapter_config.json"
    saved = json.loads(path.read_text())
    saved["base_model_name_or_path"] = f"../../models/{base}"
    path.write_text(json.dumps(saved, indent=2) + "\n")
    (folder / "README.md").unlink()

    sequences = json.loads((source / "golden.json").read_text())["sequences"]
    golden = {"sequences": sequences, "logprobs": rounded(logprobs(model, ids) for ids in sequences)}
    with model.disable_adapter():
        golden["base"] = rounded(logprobs(model, ids) for ids in sequences)
    (-logprobs(model, sequences[0], grad=True).mean()).backward()
    save_file({n.replace(".default", ""): p.grad for n, p in model.named_parameters() if p.grad is not None}, folder / "grads.safetensors")
    merged = model.merge_and_unload()
    golden["merged"] = rounded(logprobs(merged, ids) for ids in sequences)
    if saved_in_bf16(source):
        half = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(source, dtype=torch.bfloat16), folder).eval()
        golden["logprobs_bf16"] = rounded(logprobs(half, ids) for ids in sequences)
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")
    moved = max(abs(a - b) for x, y in zip(golden["logprobs"], golden["base"]) for a, b in zip(x, y))
    print(f"{name}: {sum(f.stat().st_size for f in folder.iterdir()) // 1000} kB, largest change of a log-probability {moved:.2f}")


def saved_in_bf16(source):
    config = json.loads((source / "config.json").read_text())
    return config.get("dtype", config.get("torch_dtype")) == "bfloat16"


make("qwen2-all-linear", "qwen2-tied", 1, r=4, lora_alpha=8, target_modules="all-linear")
make("qwen2-bf16", "qwen2-untied-bf16-sharded", 2, r=4, lora_alpha=4, target_modules=["q_proj", "v_proj", "down_proj"])
make("qwen3-default-rslora", "qwen3", 3, r=3, lora_alpha=6, use_rslora=True)
make("llama-some", "llama3-rope-new-biased", 4, r=2, lora_alpha=3, target_modules=["k_proj", "o_proj", "up_proj"])
make("llama-layer-1", "llama3-rope-old", 5, r=2, lora_alpha=2, target_modules=["q_proj", "gate_proj", "up_proj"], layers_to_transform=[1])
make("phi3-all-linear", "phi3-window", 6, r=3, lora_alpha=6, target_modules="all-linear")
