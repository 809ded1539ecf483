"""The peer's side of the comparison: TRL's GRPOTrainer on a checkpoint folder, seconds per optimizer step.

    python trl_grpo.py CHECKPOINT [--prompts 8] [--group 8] [--max-new 96] [--steps 8] [--fixed-length] [--beta 0]
                          [--precision float32|bfloat16|autocast]

Prints one JSON line: median step seconds, completion tokens per second (tokens really generated, padding
not counted), mean completion length, peak resident memory in MB. --fixed-length forbids the end token, so
every completion has --max-new tokens; without it lengths are the model's own, which is the everyday case.
--precision bfloat16 holds weights and computes in bfloat16; autocast keeps float32 weights.

Needs: torch, transformers, trl, datasets, accelerate.
"""
import argparse, json, os, resource, tempfile, time
import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

p = argparse.ArgumentParser()
p.add_argument("checkpoint")
p.add_argument("--prompts", type=int, default=8)
p.add_argument("--group", type=int, default=8)
p.add_argument("--max-new", type=int, default=96)
p.add_argument("--steps", type=int, default=8)
p.add_argument("--beta", type=float, default=0.0)
p.add_argument("--fixed-length", action="store_true")
p.add_argument("--precision", default="float32", choices=["float32", "bfloat16", "autocast"])
p.add_argument("--threads", type=int, default=os.cpu_count())
a = p.parse_args()
torch.set_num_threads(a.threads)

rows = [json.loads(line) for line in open(os.path.join(a.checkpoint, "prompts.jsonl"))]
model = AutoModelForCausalLM.from_pretrained(a.checkpoint, dtype=torch.bfloat16 if a.precision == "bfloat16" else torch.float32)
tok = AutoTokenizer.from_pretrained(a.checkpoint)
lengths, seconds = [], []


def reward(completions, completion_ids, answer, **_):
    lengths.append([len(ids) for ids in completion_ids])
    return [float(gold in text) + 0.01 * len(set(text)) for text, gold in zip(completions, answer)]


class Clock(TrainerCallback):
    def on_step_begin(self, *_, **__):
        self.start = time.perf_counter()

    def on_step_end(self, *_, **__):
        seconds.append(time.perf_counter() - self.start)


args = GRPOConfig(
    output_dir=tempfile.mkdtemp(), per_device_train_batch_size=a.prompts * a.group, num_generations=a.group,
    max_completion_length=a.max_new, max_steps=a.steps, logging_steps=1000, save_strategy="no", report_to="none",
    use_cpu=True, bf16=a.precision != "float32", beta=a.beta, learning_rate=1e-6, temperature=0.7, gradient_checkpointing=False,
    disable_tqdm=True, generation_kwargs={"min_new_tokens": a.max_new} if a.fixed_length else None,
)
trainer = GRPOTrainer(model=model, reward_funcs=reward, args=args, train_dataset=Dataset.from_list(rows), processing_class=tok)
trainer.add_callback(Clock())
trainer.train()
steps = sorted(range(1, len(seconds)), key=lambda i: seconds[i])  # the first step warms up
mid = steps[len(steps) // 2]
tokens = sum(map(sum, lengths[1:]))
print(json.dumps({
    "system": "trl", "median_step_s": round(seconds[mid], 4), "tokens_per_s": round(tokens / sum(seconds[1:]), 1),
    "mean_length": round(tokens / (len(lengths[1:]) * a.prompts * a.group), 2), "steps": len(seconds) - 1,
    "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
}))
