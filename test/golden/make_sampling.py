"""Golden values of transformers' own logits processors: test/fixtures/engine/sampling.json.

    /path/to/venv/bin/python test/golden/make_sampling.py        (torch 2.13.0, transformers 5.18.0)

For each setting: the log-probabilities transformers' sampler would draw from, for random logits.
"""
import json, os
import torch, transformers
from transformers.generation.logits_process import (
    LogitsProcessorList, MinPLogitsWarper, RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper,
)

torch.manual_seed(0)
logits = (torch.randn(3, 12) * 2).double().round(decimals=3).float()
prompts = torch.tensor([[1, 2, 2, 5], [0, 0, 0, 0], [11, 3, 7, 1]])
settings = [
    {"temperature": 0.7}, {"temperature": 1.3}, {"topK": 3}, {"topP": 0.8}, {"topP": 0.05}, {"minP": 0.2},
    {"repetitionPenalty": 1.5}, {"temperature": 0.7, "topK": 5, "topP": 0.9, "minP": 0.05, "repetitionPenalty": 1.2},
]
cases = []
for s in settings:
    chain = LogitsProcessorList()
    if "repetitionPenalty" in s: chain.append(RepetitionPenaltyLogitsProcessor(s["repetitionPenalty"]))
    if "temperature" in s: chain.append(TemperatureLogitsWarper(s["temperature"]))
    if "topK" in s: chain.append(TopKLogitsWarper(s["topK"]))
    if "topP" in s: chain.append(TopPLogitsWarper(s["topP"]))
    if "minP" in s: chain.append(MinPLogitsWarper(s["minP"]))
    logp = chain(prompts, logits.clone()).log_softmax(-1)
    cases.append({"params": s, "logprobs": [[None if x == float("-inf") else round(x, 6) for x in row] for row in logp.tolist()]})
out = os.path.join(os.path.dirname(__file__), "../fixtures/engine/sampling.json")
os.makedirs(os.path.dirname(out), exist_ok=True)
json.dump({"versions": f"torch {torch.__version__}, transformers {transformers.__version__}", "logits": logits.tolist(), "prompts": prompts.tolist(), "cases": cases}, open(out, "w"))
