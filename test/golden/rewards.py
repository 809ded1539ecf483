"""Makes test/fixtures/rewards/golden.json: scores by the original reward code of Open-RS.

    git clone https://github.com/knoveleng/open-rs && git -C open-rs checkout 2889c47
    python test/golden/rewards.py open-rs/src/open_r1/rewards.py      (Python 3.11)

The original file runs as it is. Only Math-Verify is replaced (it is not what these values are about): a gold written
"unparseable" parses to nothing, and a completion is correct when its text contains the gold in \\boxed{}.
"""
import importlib.util
import json
import os
import random
import sys
import types

OUT = os.path.join(os.path.dirname(__file__), "..", "fixtures", "rewards", "golden.json")


def module(name, **members):
    m = types.ModuleType(name)
    m.__dict__.update(members)
    sys.modules[name] = m
    return m


def parse(text, **_):
    return [] if text == "unparseable" else [text]


# verify(answer, gold) as the original calls it.
module("math_verify", LatexExtractionConfig=lambda **k: None, parse=parse, verify=lambda answer, gold: "\\boxed{%s}" % gold[0] in answer[0])
module("latex2sympy2_extended", NormalizationConfig=lambda **k: None)
module("open_r1").__path__ = []
module("open_r1.utils", is_e2b_available=lambda: False)
spec = importlib.util.spec_from_file_location("open_r1.rewards", sys.argv[1])
original = importlib.util.module_from_spec(spec)
original.AsyncSandbox = object  # only an annotation there, imported when e2b is
spec.loader.exec_module(original)

THINK = "<think>\n"
TEXTS = [
    "",
    "x",
    "\\boxed{7}",
    THINK + "So 3+4.\n</think>\nThe answer is \\boxed{7}.",
    "So 3+4.\n</think>\nThe answer is \\boxed{8}.",
    "a\n</think>\nb\n</think>\nc \\boxed{7}",
    "a\n</think>\n</think>\nb",
    "a</think>b", "a\n</think>", "\n</think>\n", THINK + THINK + "\n</think>\n",
    "Step 1: add. Step 2: check. Step 12: done.", "1. one\n2. two\n3. three", "x\n1. one\n2. two", "- a\n- b\n* c\n* d\n-e",
    "First, do. Second, do. Next, do. Finally, \\boxed{7}", "first, second, next,", "Step \u0663: Arabic digits count for Python", "\u0663. also",
    "the cat sat on the mat the cat sat on the mat the cat sat", "The cat THE CAT the Cat", "a b", "a b c", "a b c a b c",
    "wait wait wait wait wait wait wait wait \\boxed{7}", "é \U0001F680 é \U0001F680 é \U0001F680", "\U0001F680" * 30 + "\\boxed{7}",
    "tab\tand\u00a0nbsp\u2003em\u0085nel\u001csep\ufeffbom\u200bzero tab and nbsp em nel sep", "İ I ı i İ I ı i İSTANBUL istanbul", "ΣΑΣ σας ΣΑΣ σας",
    "long " * 150 + "\\boxed{7}", "long wrong " * 200, "\\boxed{7} " + "x" * 1990, "y" * 1000, "z" * 999 + "\\boxed{7}",
]
rng = random.Random(0)
for _ in range(25):
    words = [rng.choice(["so", "wait", "3+4", "7", "Step 1:", "\n-", "hmm,", "First,", "\n</think>\n"]) for _ in range(rng.randrange(1, 400))]
    TEXTS.append(" ".join(words) + rng.choice(["", "\\boxed{7}", "\\boxed{8}"]))
golds = ["unparseable" if i % 9 == 4 else "7" for i in range(len(TEXTS))]
completions = [[{"role": "assistant", "content": text}] for text in TEXTS]
kwargs = {"solution": golds}

recipe = dict(min_value_wrong=0.0, max_value_wrong=-0.5, min_value_correct=0.5, max_value_correct=1.0)
COSINE = [
    {**recipe, "max_len": 1000},
    {**recipe, "max_len": 3584},
    {"min_value_wrong": -1.0, "max_value_wrong": -0.5, "min_value_correct": 0.25, "max_value_correct": 2.0, "max_len": 100},
]
REPETITION = [(3, -1.0), (1, -0.5), (5, -2.0), (3, 0.0)]
scores = [
    {"name": "accuracy", "options": {}, "scores": original.accuracy_reward(completions, **kwargs)},
    {"name": "format", "options": {}, "scores": original.format_reward(completions, **kwargs)},
    {"name": "tag_count", "options": {}, "scores": original.tag_count_reward(completions, **kwargs)},
    {"name": "reasoning_steps", "options": {}, "scores": original.reasoning_steps_reward(completions, **kwargs)},
    {"name": "length", "options": {}, "scores": original.len_reward(completions, **kwargs)},
]
for c in COSINE:
    scores.append({"name": "cosine", "options": {f"cosine_{k}": v for k, v in c.items()}, "scores": original.get_cosine_scaled_reward(**c)(completions, **kwargs)})
for n, penalty in REPETITION:
    options = {"repetition_n_grams": n, "repetition_max_penalty": penalty}
    scores.append({"name": "repetition_penalty", "options": options, "scores": original.get_repetition_penalty_reward(n, penalty)(completions, **kwargs)})

verdicts = ["no_gold" if g == "unparseable" else "correct" if "\\boxed{7}" in t else "wrong" for t, g in zip(TEXTS, golds)]
os.makedirs(os.path.dirname(OUT), exist_ok=True)
with open(OUT, "w") as f:
    json.dump({"inputs": [{"completion": t, "gold": g, "verdict": v} for t, g, v in zip(TEXTS, golds, verdicts)], "rewards": scores}, f, indent=0)
