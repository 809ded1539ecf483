"""transformers' side of bench/pass.ts: python theirs.py CHECKPOINT DTYPE; prints CPU milliseconds as JSON."""
import json, sys, time
import torch
from transformers import AutoModelForCausalLM

torch.set_num_threads(1)
checkpoint, dtype = sys.argv[1], getattr(torch, sys.argv[2])
model = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=dtype)
sequences = json.load(open(f"{checkpoint}/sequences.json"))
longest = max(len(s["ids"]) for s in sequences)
ids = torch.zeros(len(sequences), longest, dtype=torch.long)
mask = torch.zeros(len(sequences), longest, dtype=torch.long)
scored = torch.zeros(len(sequences), longest)
for row, s in enumerate(sequences):
    ids[row, : len(s["ids"])] = torch.tensor(s["ids"])
    mask[row, : len(s["ids"])] = 1
    scored[row, s["from"] : len(s["ids"])] = 1


def step():
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1]
    logps = logits.float().log_softmax(-1).gather(-1, ids[:, 1:, None]).squeeze(-1)
    (-1e-3 * (logps * scored[:, 1:]).sum()).backward()


times = []
for _ in range(4):
    start = time.process_time()
    step()
    times.append(time.process_time() - start)
print(json.dumps({"milliseconds": 1000 * min(times[1:]), "tokens": sum(len(s["ids"]) for s in sequences)}))
