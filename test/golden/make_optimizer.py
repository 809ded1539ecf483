"""AdamW, gradient clipping and learning-rate schedules by torch 2.13 and transformers 5.18.

    OMP_NUM_THREADS=1 python test/golden/make_optimizer.py

test/fixtures/torch/optimizer.json
    adamw   options, start (one list per parameter), grads per step per parameter, trajectory (after each step, per parameter),
            and the moments after the last step
    clip    grads, max_norm, the norm clip_grad_norm_ returns, the clipped gradients
test/fixtures/torch/schedules.json
    name, lr, num_warmup_steps, num_training_steps, scheduler_specific_kwargs, values (learning rate used at step 0, 1, …)
test/fixtures/torch/adaptive-rates.json
    name, lr, kwargs, metrics (one per evaluation), values (learning rate after each)
test/fixtures/training/intervals.json
    interval (save_steps below 1), total steps, steps
"""
import json, math, pathlib, types
import torch
from transformers import TrainerState, get_scheduler

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
schedules += [schedule("cosine", 3, 20, num_cycles=1.5), schedule("cosine_with_min_lr", 3, 20, min_lr_rate=0.2, num_cycles=1.25)]
schedules += [schedule("cosine_with_restarts", w, 20, **k) for w in (0, 5) for k in ({}, {"num_cycles": 3})]
schedules += [schedule("polynomial", w, 20, **k) for w in (0, 5) for k in ({}, {"power": 2.5, "lr_end": 4e-4}, {"power": 0.5})]
schedules += [schedule("inverse_sqrt", w, 20, **k) for w in (0, 5) for k in ({}, {"timescale": 7})]
schedules += [schedule("cosine_warmup_with_min_lr", w, 20, **k) for w in (0, 5)
              for k in ({"min_lr_rate": 0.1}, {"min_lr": 5e-4, "warmup_lr_rate": 0.3}, {"min_lr_rate": 0.0, "num_cycles": 1.0})]
schedules += [schedule("warmup_stable_decay", w, 20, num_decay_steps=6, **k) for w in (0, 5)
              for k in ({}, {"decay_type": "linear", "min_lr_ratio": 0.1}, {"warmup_type": "1-sqrt", "decay_type": "1-sqrt"},
                        {"warmup_type": "cosine", "min_lr_ratio": 0.25, "num_cycles": 1.0}, {"num_stable_steps": 3})]


def adaptive(name, metrics, lr=2e-3, **kwargs):
    optimizer = torch.optim.SGD([torch.zeros(1).requires_grad_()], lr=lr)
    scheduler = get_scheduler(name, optimizer, scheduler_specific_kwargs=kwargs)
    values = []
    for metric in metrics:
        optimizer.step()
        scheduler.step(metric)
        values.append(scheduler.get_last_lr()[0])
    return {"name": name, "lr": lr, "kwargs": kwargs, "metrics": metrics, "values": values}


def course(seed, n, slope):
    return [slope * i + 0.2 * x for i, x in enumerate(torch.randn(n, generator=torch.Generator().manual_seed(seed)).tolist())]


adaptive_rates = [adaptive("reduce_lr_on_plateau", course(5, 40, -0.01), **k) for k in (
    {}, {"patience": 2}, {"patience": 1, "factor": 0.5, "cooldown": 3, "min_lr": 3e-4}, {"patience": 2, "threshold": 0.1, "threshold_mode": "abs"})]
adaptive_rates += [adaptive("reduce_lr_on_plateau", course(6, 40, 0.01), mode="max", patience=2, factor=0.3, eps=2e-5)]
adaptive_rates += [adaptive("greedy", course(7, 60, s), patience=1, min_lr=1e-4, **k) for s in (-0.1, 0.02) for k in (
    {}, {"factor": 0.7, "max_lr": 5e-3, "cooldown": 2, "warmup": 1}, {"smooth": True, "window_size": 5}, {"mode": "max", "threshold_mode": "rel"},
    {"factor": 0.3, "reset_start": 3, "cooldown": 1})]
adaptive_rates += [adaptive("greedy", course(8, 30, -0.1))]
json.dump(rounded(adaptive_rates), open(OUT / "adaptive-rates.json", "w"))


def steps_of(interval, total):
    state = TrainerState()
    state.compute_steps(types.SimpleNamespace(logging_steps=interval, eval_steps=interval, save_steps=interval), total)
    return {"interval": interval, "total": total, "steps": state.save_steps}


TRAINING = OUT.parent / "training"
TRAINING.mkdir(exist_ok=True)
json.dump([steps_of(i, t) for i in (0.01, 0.07, 0.1, 0.25, 1 / 3, 0.5, 0.999, 1, 7) for t in (1, 6, 100, 101, 2340)], open(TRAINING / "intervals.json", "w"))
json.dump(rounded({
    "versions": f"torch {torch.__version__}",
    "adamw": [adamw(1, lr=1e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0),
              adamw(2, lr=3e-2, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1)],
    "clip": [clip(3, 1.0, 0.5), clip(4, 0.01, 1.0)]}), open(OUT / "optimizer.json", "w"))
json.dump(rounded(schedules), open(OUT / "schedules.json", "w"))
