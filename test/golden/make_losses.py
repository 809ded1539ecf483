"""GRPO losses, advantages and metrics by TRL's own code (trl 1.13, torch 2.13).

    OMP_NUM_THREADS=1 python test/golden/make_losses.py

No formula is written here: a bare object with a real GRPOConfig carries GRPOTrainer's own methods. `_generate`,
`_generate_and_score_completions` and `_compute_loss` run unchanged (in float64); only what would need a language model (tokens,
log-probabilities, rewards) is given. The gradient is that of the loss with respect to the policy's log-probabilities.

test/fixtures/losses/losses.json
    batches     sequences of one generation batch: logps, old, ref, sampling, entropy (one number per completion token), advantage,
                finished (false: cut at the limit)
    cases       options (TRL's names), micro (sequences per micro-batch), loss (summed over the optimizer step's micro-batches), grads
                per sequence, is_ratio, metrics (mean over micro-batches as TRL logs them)
test/fixtures/losses/advantages.json
    cases       rewards (rows of one per function, null: not scored), options, advantages, metrics
"""
import json, math, pathlib, tempfile, types
from collections import defaultdict
import torch
from trl import GRPOConfig, GRPOTrainer

OUT = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "losses"
PAD, EOS = 0, 1
torch.set_default_dtype(torch.float64)


class Accelerator:
    """One process."""
    device, num_processes, process_index, sync_gradients = torch.device("cpu"), 1, 0, True
    gather = gather_for_metrics = staticmethod(lambda x: x)
    reduce = staticmethod(lambda x, reduction: x)
    pad_across_processes = staticmethod(lambda x, **_: x)


class Trainer:
    _generate = GRPOTrainer._generate
    _generate_and_score_completions = GRPOTrainer._generate_and_score_completions
    _compute_loss = GRPOTrainer._compute_loss
    get_off_policy_mask = staticmethod(GRPOTrainer.get_off_policy_mask)
    get_high_entropy_mask = GRPOTrainer.get_high_entropy_mask

    def __init__(self, config, sequences, rewards, reward_names):
        self.args, self.sequences, self.rewards = config, sequences, rewards
        a = config
        self.model = types.SimpleNamespace(training=True, is_gradient_checkpointing=False)
        self.ref_model = object()
        self.accelerator = Accelerator()
        self.state = types.SimpleNamespace(num_input_tokens_seen=0, global_step=0)
        self._tokenizer = types.SimpleNamespace(pad_token_id=PAD, eos_token_id=EOS)
        self.processing_class = types.SimpleNamespace(batch_decode=lambda ids, **_: ["" for _ in ids])
        self.environment_factories = self.environments = self.tools = self.pad_to_multiple_of = self.rollout_func = None
        self._multi_environment = self._is_vlm = self.aux_loss_enabled = self.log_multimodal = False
        self._metrics, self._logs = {"train": defaultdict(list)}, {k: [] for k in ("prompt", "completion", "advantages")}
        self._logs["rewards"] = defaultdict(list)
        self._pending_extra_logs, self._pending_metrics = {}, {}
        self.reward_funcs = self.reward_func_names = reward_names
        self.reward_weights = torch.tensor(a.reward_weights or [1.0] * len(reward_names))
        self.epsilon_low, self.epsilon_high = a.epsilon, a.epsilon if a.epsilon_high is None else a.epsilon_high
        self.current_gradient_accumulation_steps = a.gradient_accumulation_steps
        self._entropy_bonus_enabled = a.entropy_coef != 0.0 or a.use_adaptive_entropy
        for name in ("entropy_coef", "use_adaptive_entropy", "loss_type", "beta", "importance_sampling_level", "max_completion_length", "top_entropy_quantile",
                     "off_policy_mask_threshold", "num_iterations", "num_generations", "mask_truncated_completions", "use_vllm",
                     "vllm_importance_sampling_correction", "vllm_importance_sampling_mode", "vllm_importance_sampling_clip_max",
                     "vllm_importance_sampling_clip_min", "scale_rewards", "multi_objective_aggregation"):
            setattr(self, name, getattr(a, name))

    # What a language model would give.
    def _tokenize_prompts(self, prompts):
        return [[5, 6, 7] for _ in prompts], None, {}

    def _generate_single_turn(self, prompt_ids, images, fields):
        ids = [[9] * (len(s["logps"]) - 1) + [EOS if s["finished"] else 9] for s in self.sequences]
        return ids, ([s["sampling"] for s in self.sequences] if self.use_vllm else None)

    def _calculate_rewards(self, inputs, prompts, completions, completion_ids):
        return torch.tensor([[math.nan if x is None else x for x in row] for row in self.rewards])

    def padded(self, key, rows):
        width = max(len(s["logps"]) for s in self.sequences)
        return torch.tensor([s[key] + [0.0] * (width - len(s[key])) for s in (self.sequences[i] for i in rows)])

    def _get_per_token_logps_and_entropies(self, model, *_, **__):
        if model is self.ref_model:
            return self.padded("ref", range(len(self.sequences))), None, None
        if model is self.model:  # before the update: the old policy
            return self.padded("old", range(len(self.sequences))), None, None
        rows = model
        self.leaf = self.padded("logps", rows).requires_grad_()
        self.entropies = self.padded("entropy", rows).requires_grad_()
        return self.leaf, self.entropies, None


def run(sequences, rewards, options, micro, names=("a",)):
    steps = len(sequences) // micro
    config = GRPOConfig(output_dir=tempfile.mkdtemp(), use_cpu=True, bf16=False, report_to="none", per_device_train_batch_size=micro,
                        gradient_accumulation_steps=steps, **{"num_generations": 4, "max_completion_length": 16, **options})
    trainer = Trainer(config, sequences, rewards, list(names))
    batch = trainer._generate_and_score_completions([{"prompt": "p"}] * len(sequences))
    return trainer, batch, steps


def case(name, batch_name, options, micro=4, num_iterations=2):
    sequences = BATCHES[batch_name]
    trainer, batch, steps = run(sequences, [[s["reward"]] for s in sequences], {**options, "num_iterations": num_iterations}, micro)
    if num_iterations > 1 or options.get("use_vllm"):
        assert "old_per_token_logps" in batch
    total, grads, entropy_grads = 0.0, [], []
    before = {k: len(v) for k, v in trainer._metrics["train"].items()}
    for step in range(steps):
        rows = slice(step * micro, (step + 1) * micro)
        inputs = {k: v[rows] if torch.is_tensor(v) and v.dim() > 0 else v for k, v in batch.items()}
        loss = trainer._compute_loss(list(range(len(sequences)))[rows], inputs)
        g, e = torch.autograd.grad(loss, (trainer.leaf, trainer.entropies), allow_unused=True)
        total += loss.item()
        lengths = [len(s["logps"]) for s in sequences[rows]]
        grads += [row[:n].tolist() for row, n in zip(g, lengths)]
        entropy_grads += [[] if e is None else row[:n].tolist() for row, n in zip(torch.zeros_like(g) if e is None else e, lengths)]
    metrics = {k: sum(v) / len(v) for k, v in trainer._metrics["train"].items()
               if len(v) > before.get(k, 0) or k.startswith("sampling/")}
    a = trainer.args
    effective = {k: getattr(a, k) for k in ("loss_type", "epsilon", "epsilon_high", "delta", "beta", "importance_sampling_level",
                                            "use_bias_correction_kl", "mask_truncated_completions", "max_completion_length",
                                            "sapo_temperature_pos", "sapo_temperature_neg", "entropy_coef", "top_entropy_quantile")}
    effective["correction"] = None if not a.use_vllm else {
        "mode": a.vllm_importance_sampling_mode, "clip_max": a.vllm_importance_sampling_clip_max,
        "clip_min": a.vllm_importance_sampling_clip_min}
    ratio = batch.get("importance_sampling_ratio")
    if ratio is not None:
        ratio = [r[: 1 if len(r) == 1 else len(s["logps"])].tolist() for r, s in zip(ratio, sequences)]
    return {"name": name, "batch": batch_name, "micro": micro, "on_policy": "old_per_token_logps" not in batch, "options": effective,
            "advantages": batch["advantages"].tolist(), "loss": total, "grads": grads, "entropy_grads": entropy_grads if trainer._entropy_bonus_enabled else None, "is_ratio": ratio, "metrics": metrics}


def make_batch(seed, lengths, finished):
    generator = torch.Generator().manual_seed(seed)
    normal = lambda n, scale: torch.randn(n, generator=generator) * scale
    sequences = []
    for length, done in zip(lengths, finished):
        logps = -normal(length, 1.2).abs()
        old = logps + normal(length, 0.3)
        sampling = old + normal(length, 0.15)
        sampling[0] -= 0.9 * (length % 3 == 0)
        sequences.append(dict(logps=logps.tolist(), old=old.tolist(), ref=(logps + normal(length, 0.5)).tolist(),
                              sampling=sampling.tolist(), entropy=normal(length, 1.0).abs().float().tolist(),
                              reward=normal(1, 1.0).item(), finished=done))
    return sequences


def rounded(x):
    if isinstance(x, dict):
        return {k: rounded(v) for k, v in x.items()}
    if isinstance(x, list):
        return [rounded(v) for v in x]
    return (None if math.isnan(x) else float(f"{x:.10g}")) if isinstance(x, float) else x


BATCHES = {
    "mixed": make_batch(7, [3, 12, 7, 9, 1, 10, 5, 6], [True, False, True, True, True, False, True, True]),
    "cut": make_batch(8, [4, 6, 3, 5], [False] * 4),
}
VLLM = dict(use_vllm=True)
CASES = [
    case("grpo on-policy", "mixed", dict(loss_type="grpo"), num_iterations=1),
    case("grpo clipped", "mixed", dict(loss_type="grpo")),
    case("grpo one micro-batch", "mixed", dict(loss_type="grpo"), micro=8),
    case("grpo epsilon_high", "mixed", dict(loss_type="grpo", epsilon=0.1, epsilon_high=0.28)),
    case("grpo delta", "mixed", dict(loss_type="grpo", delta=1.3)),
    case("grpo beta", "mixed", dict(loss_type="grpo", beta=0.04, use_bias_correction_kl=False)),
    case("grpo beta on-policy", "mixed", dict(loss_type="grpo", beta=0.04, use_bias_correction_kl=False), num_iterations=1),
    case("grpo beta corrected", "mixed", dict(loss_type="grpo", beta=0.1)),
    case("bnpo", "mixed", dict(loss_type="bnpo")),
    case("bnpo as Open-RS", "mixed", dict(loss_type="bnpo", beta=0.04, use_bias_correction_kl=False), num_iterations=1),
    case("dr_grpo", "mixed", dict(loss_type="dr_grpo")),
    case("dapo", "mixed", dict(loss_type="dapo", epsilon_high=0.28)),
    case("dapo small micro-batches", "mixed", dict(loss_type="dapo", beta=0.02), micro=2),
    case("cispo", "mixed", dict(loss_type="cispo", epsilon_high=1.1)),
    case("cispo on-policy", "mixed", dict(loss_type="cispo", epsilon_high=5.0), num_iterations=1),
    case("cispo beta", "mixed", dict(loss_type="cispo", epsilon_high=1.1, beta=0.05, **VLLM)),
    case("gspo", "mixed", dict(loss_type="grpo", importance_sampling_level="sequence", epsilon=0.03, epsilon_high=0.04)),
    case("gspo beta", "mixed", dict(loss_type="grpo", importance_sampling_level="sequence", epsilon=0.03, beta=0.04)),
    case("gspo dapo", "mixed", dict(loss_type="dapo", importance_sampling_level="sequence", epsilon=0.03)),
    case("gspo masked", "mixed", dict(loss_type="grpo", importance_sampling_level="sequence", epsilon=0.03, mask_truncated_completions=True)),
    case("gspo, beta, token correction", "mixed", dict(loss_type="bnpo", importance_sampling_level="sequence", epsilon=0.03, beta=0.04,
         vllm_importance_sampling_mode="token_truncate", vllm_importance_sampling_clip_max=1.1, **VLLM)),
    *[case(f"{loss} masked", "mixed", dict(loss_type=loss, mask_truncated_completions=True)) for loss in ("grpo", "bnpo", "dr_grpo", "dapo")],
    *[case(f"{loss} all masked", "cut", dict(loss_type=loss, mask_truncated_completions=True, beta=0.04), micro=4)
      for loss in ("grpo", "bnpo", "dapo")],
    *[case(f"correction {mode}", "mixed", dict(loss_type="grpo", vllm_importance_sampling_mode=mode, vllm_importance_sampling_clip_max=1.3,
           vllm_importance_sampling_clip_min=0.8, **VLLM)) for mode in ("token_truncate", "token_mask", "sequence_truncate", "sequence_mask")],
    case("sapo", "mixed", dict(loss_type="sapo")),
    case("sapo on-policy", "mixed", dict(loss_type="sapo", sapo_temperature_pos=1.5, sapo_temperature_neg=3.0), num_iterations=1),
    case("sapo small micro-batches, beta", "mixed", dict(loss_type="sapo", sapo_temperature_neg=2.0, beta=0.04), micro=2),
    case("sapo per sequence, masked", "mixed", dict(loss_type="sapo", importance_sampling_level="sequence", mask_truncated_completions=True)),
    *[case(f"entropy bonus {loss}", "mixed", dict(loss_type=loss, entropy_coef=0.03)) for loss in ("grpo", "bnpo", "dr_grpo", "dapo", "cispo", "sapo")],
    case("entropy bonus small micro-batches", "mixed", dict(loss_type="dapo", entropy_coef=-0.02, beta=0.04), micro=2),
    case("entropy bonus masked", "mixed", dict(loss_type="grpo", entropy_coef=0.03, mask_truncated_completions=True)),
    *[case(f"top entropy {q} {loss}", "mixed", dict(loss_type=loss, top_entropy_quantile=q)) for q in (0.0, 0.2, 0.7) for loss in ("grpo", "dapo")],
    case("top entropy masked, beta", "mixed", dict(loss_type="bnpo", top_entropy_quantile=0.4, beta=0.04, mask_truncated_completions=True)),
    case("top entropy small micro-batches", "mixed", dict(loss_type="dr_grpo", top_entropy_quantile=0.3), micro=2),
    case("top entropy of nothing", "cut", dict(loss_type="grpo", top_entropy_quantile=0.3, entropy_coef=0.1, mask_truncated_completions=True)),
    case("top entropy per sequence", "mixed", dict(loss_type="grpo", top_entropy_quantile=0.5, importance_sampling_level="sequence")),
    case("top entropy and bonus", "mixed", dict(loss_type="dapo", top_entropy_quantile=0.3, entropy_coef=0.05)),
    case("top entropy corrected", "mixed", dict(loss_type="dapo", top_entropy_quantile=0.4, vllm_importance_sampling_mode="token_mask",
         vllm_importance_sampling_clip_max=1.2, **VLLM)),
    case("correction default", "mixed", dict(loss_type="dapo", **VLLM)),
    case("correction masked", "mixed", dict(loss_type="dapo", beta=0.04, mask_truncated_completions=True,
         vllm_importance_sampling_mode="token_truncate", **VLLM)),
]

N = None
REWARDS = {
    "plain": [[1.0], [0.0], [0.5], [1.0], [0.2], [0.2], [0.2], [0.2]],
    "two": [[1.0, 0.3], [0.0, -0.5], [0.0, 0.25], [1.0, 1.0], [1.0, 0.0], [0.0, 0.1], [0.0, 0.7], [1.0, 0.9]],
    "equal": [[1.0, 0.5]] * 8,
    "skipped": [[1.0, N], [0.0, -0.5], [N, 0.25], [N, N], [1.0, 0.0], [N, N], [N, N], [N, N]],
}


def advantage_case(name, options):
    rows = REWARDS[name]
    sequences = [dict(logps=[0.0, 0.0], finished=True)] * len(rows)
    names = ["first", "second"][: len(rows[0])]
    trainer, batch, _ = run(sequences, rows, options, 4, names)
    metrics = {k: v[0] for k, v in trainer._metrics["train"].items() if "reward" in k}
    return {"name": f"{name} {options}", "rewards": rows, "names": names, "scale_rewards": trainer.scale_rewards,
            "multi_objective_aggregation": trainer.multi_objective_aggregation, "num_generations": 4,
            "reward_weights": trainer.reward_weights.tolist(), "advantages": batch["advantages"].tolist(), "metrics": metrics}


ADVANTAGES = [advantage_case(name, {"scale_rewards": scale, **({"reward_weights": [1.0, 2.0]} if weighted else {})})
              for name in REWARDS for scale in ("group", "batch", "none") for weighted in ((False, True) if name != "plain" else (False,))]
ADVANTAGES += [advantage_case(name, {"multi_objective_aggregation": "normalize_then_sum", **weights})
               for name in REWARDS for weights in ({}, {"reward_weights": [1.0, 2.0][: len(REWARDS[name][0])]}, {"scale_rewards": "none"})]


def completions_case(name):
    sequences = BATCHES[name]
    trainer, _, _ = run(sequences, [[s["reward"]] for s in sequences], {}, 4)
    return {"batch": name, "prompt_length": 3, "metrics": {k: v[0] for k, v in trainer._metrics["train"].items() if k.startswith("completions/") or k == "num_tokens"}}


OUT.mkdir(parents=True, exist_ok=True)
losses = {"versions": "trl 1.13, torch 2.13", "batches": BATCHES, "cases": CASES, "completions": [completions_case(n) for n in BATCHES]}
(OUT / "losses.json").write_text(json.dumps(rounded(losses)) + "\n")
(OUT / "advantages.json").write_text(json.dumps(rounded({"versions": "trl 1.13, torch 2.13", "cases": ADVANTAGES})) + "\n")
for c in CASES:
    print(c["name"], f"{c['loss']:.5f}", {k: round(v, 3) for k, v in c["metrics"].items() if "clip" in k or "max" in k})
