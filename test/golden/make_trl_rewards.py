"""Scores by TRL's own rewards (trl 1.13) that the original of Open-RS has not.

    python test/golden/make_trl_rewards.py

test/fixtures/rewards/trl.json
    name, options (the recipe's), lengths of the completions in tokens, scores
"""
import json, pathlib
from trl.rewards import get_soft_overlong_punishment

OUT = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "rewards" / "trl.json"
LENGTHS = [0, 1, 79, 80, 81, 90, 99, 100, 101, 500, 1024, 1025, 1100, 1280, 1281]


def soft_overlong(longest, cache):
    reward = get_soft_overlong_punishment(max_completion_len=longest, soft_punish_cache=cache)
    return {"name": "soft_overlong_punishment", "options": {"max_completion_len": longest, "soft_punish_cache": cache},
            "lengths": LENGTHS, "scores": reward(completion_ids=[[7] * n for n in LENGTHS])}


OUT.write_text(json.dumps([soft_overlong(*c) for c in ((100, 20), (100, 0), (100, 100), (1280, 256), (1100, 3))]) + "\n")
