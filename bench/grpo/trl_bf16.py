"""The peer script with bfloat16, for a fair match where that is faster for it: weights and arithmetic, or autocast over float32 weights.

    python trl_bf16.py PEER/trl_grpo.py weights|autocast CHECKPOINT [its options]
"""
import sys

script, mode = sys.argv[1:3]
source = open(script).read().replace("bf16=False", "bf16=True")
if mode == "weights":
    source = source.replace("dtype=torch.float32", "dtype=torch.bfloat16")
sys.argv = [script, *sys.argv[3:]]
exec(compile(source, script, "exec"), {"__name__": "__main__"})
