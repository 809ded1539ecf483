"""load_best_model_at_end by transformers 5.18 (torch 2.13).

    python test/golden/make_best_model.py

test/fixtures/training/best-model.json
    checks  eval_strategy, save_strategy, eval_steps, save_steps, and whether TrainingArguments accepts them
    runs    a Trainer with the values its evaluations gave (one each step), greater_is_better, save_steps, save_total_limit;
            the best step and value at the end, the checkpoints kept, and the step whose weights the model then has
"""
import itertools, json, pathlib, tempfile
import torch
from transformers import Trainer, TrainingArguments

OUT = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "training"
STEPS = 6


def accepted(folder, **keys):
    try:
        TrainingArguments(folder, use_cpu=True, report_to=[], load_best_model_at_end=True, **keys)
        return True
    except ValueError:
        return False


def checks(folder):
    words = itertools.product(["no", "steps", "epoch"], ["no", "steps", "epoch"], [(2, 4)])
    numbers = [("steps", "steps", pair) for pair in [(2, 2), (2, 3), (4, 2), (0.1, 0.3), (0.1, 0.25), (0.2, 4), (2, 0.5)]]
    for evaluate, save, (eval_steps, save_steps) in [*words, *numbers]:
        keys = dict(eval_strategy=evaluate, save_strategy=save, eval_steps=eval_steps, save_steps=save_steps)
        yield {**keys, "accepted": accepted(folder, **keys)}


class Counter(torch.nn.Module):
    """Its weight after step n is n: the gradient is -1, the learning rate 1."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, x, labels=None):
        return {"loss": -self.weight.sum() + 0 * x.sum(), "logits": x + self.weight}


def run(values, greater, save_steps, limit):
    with tempfile.TemporaryDirectory() as folder:
        given = iter(values)
        args = TrainingArguments(
            folder, use_cpu=True, report_to=[], disable_tqdm=True, max_steps=STEPS, per_device_train_batch_size=1,
            learning_rate=1, lr_scheduler_type="constant", optim="sgd", max_grad_norm=0, eval_strategy="steps", eval_steps=1,
            save_strategy="steps", save_steps=save_steps, save_total_limit=limit, load_best_model_at_end=True,
            metric_for_best_model="score", greater_is_better=greater,
        )
        data = [{"x": torch.ones(1), "labels": torch.ones(1)}] * STEPS
        trainer = Trainer(
            Counter(), args, train_dataset=data, eval_dataset=data[:1], compute_metrics=lambda _: {"score": next(given)}
        )
        trainer.train()
        kept = sorted(int(path.name.split("-")[1]) for path in pathlib.Path(folder).glob("checkpoint-*"))
        return {
            "values": values, "greater_is_better": greater, "save_steps": save_steps, "save_total_limit": limit,
            "step": trainer.state.best_global_step, "value": trainer.state.best_metric, "kept": kept,
            "loaded": round(trainer.model.weight.item()),
        }


def runs():
    sequences = [[0.1, 0.5, 0.3, 0.5, 0.4, 0.2], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [0.7] * 6, [-0.5, -0.1, -0.9, -0.3, 0.0, -0.2]]
    for values, greater, limit in itertools.product(sequences, [True, False], [None, 1, 2, 3]):
        yield run(values, greater, 1, limit)
    # The best of these evaluations has a checkpoint.
    yield run([0.1, 0.5, 0.3, 0.2, 0.4, 0.2], True, 2, 2)
    yield run([0.5, 0.4, 0.3, 0.1, 0.4, 0.2], False, 2, 1)


with tempfile.TemporaryDirectory() as folder:
    golden = {"checks": list(checks(folder)), "runs": list(runs())}
OUT.mkdir(parents=True, exist_ok=True)
lists = {name: ",\n".join(" " + json.dumps(each) for each in entries) for name, entries in golden.items()}
text = ",\n".join(f'"{name}": [\n{entries}\n]' for name, entries in lists.items())
(OUT / "best-model.json").write_text("{\n" + text + "\n}\n")
