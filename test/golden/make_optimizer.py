"""AdamW, gradient clipping and learning-rate schedules by torch 2.13 and transformers 5.18.

    OMP_NUM_THREADS=1 python test/golden/make_optimizer.py

test/fixtures/torch/optimizer.json
    adamw   options, start (one list per parameter), grads per step per parameter, trajectory (after each step, per parameter),
            and the moments after the last step
    clip    grads, max_norm, the norm clip_grad_norm_ returns, the clipped gradients
test/fixtures/torch/schedules.json
    name, lr, num_warmup_steps, num_training_steps, scheduler_specific_kwargs, values (learning rate used at step 0, 1, …)
"""
import json, math, pathlib
import torch
from transformers import get_scheduler

OUT = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "torch"
OUT.mkdir(parents=True, exist_ok=True)


def rounded(x):
    if isinstance(x, dict):
        return {k: rounded(v) for k, v in x.items()}
    return [rounded(v) for v in x] if isinstance(x, (list, tuple)) else float(f"{x:.10g}") if isinstance(x, float) else x


def adamw(seed, steps=8, **options):
    generator = torch.Generator().manual_seed(seed)
    params = [torch.randn(n, generator=generator).requires_grad_() for n in (5, 3)]
    optimizer = torch.optim.AdamW(params, **options)
    start, grads, trajectory = [p.tolist() for p in params], [], []
    for _ in range(steps):
        for p in params:
            p.grad = torch.randn(p.shape, generator=generator) * 0.3
        grads.append([p.grad.tolist() for p in params])
        optimizer.step()
        trajectory.append([p.tolist() for p in params])
    state = [optimizer.state[p] for p in params]
    return {"options": options, "start": start, "grads": grads, "trajectory": trajectory,
            "exp_avg": [s["exp_avg"].tolist() for s in state], "exp_avg_sq": [s["exp_avg_sq"].tolist() for s in state]}


def clip(seed, scale, max_norm):
    generator = torch.Generator().manual_seed(seed)
    params = [torch.zeros(n).requires_grad_() for n in (5, 3)]
    for p in params:
        p.grad = torch.randn(p.shape, generator=generator) * scale
    grads = [p.grad.tolist() for p in params]
    norm = torch.nn.utils.clip_grad_norm_(params, max_norm).item()
    return {"grads": grads, "max_norm": max_norm, "norm": norm, "clipped": [p.grad.tolist() for p in params]}


def schedule(name, warmup, total, **specific):
    lr = 2e-3
    optimizer = torch.optim.SGD([torch.zeros(1).requires_grad_()], lr=lr)
    scheduler = get_scheduler(name, optimizer, num_warmup_steps=warmup, num_training_steps=total,
                              **({"scheduler_specific_kwargs": specific} if specific else {}))
    values = []
    for _ in range(total + 2):
        values.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return {"name": name, "lr": lr, "num_warmup_steps": warmup, "num_training_steps": total, "scheduler_specific_kwargs": specific, "values": values}


schedules = [schedule(n, w, 20) for n in ("constant", "constant_with_warmup", "linear", "cosine") for w in (0, 5)]
schedules += [schedule("cosine_with_min_lr", w, 20, **k) for w in (0, 2) for k in ({"min_lr_rate": 0.1}, {"min_lr": 5e-4})]
json.dump(rounded({
    "versions": f"torch {torch.__version__}",
    "adamw": [adamw(1, lr=1e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0),
              adamw(2, lr=3e-2, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1)],
    "clip": [clip(3, 1.0, 0.5), clip(4, 0.01, 1.0)]}), open(OUT / "optimizer.json", "w"))
json.dump(rounded(schedules), open(OUT / "schedules.json", "w"))
