"""TRL's own best-fit-decreasing packing -> test/fixtures/sft/packing.json.

python test/golden/make_packing.py      (made with trl 1.13, datasets as installed with it)
"""
import json
import pathlib
import random

import trl
from datasets import Dataset
from trl import pack_dataset

OUT = pathlib.Path(__file__).parent.parent / "fixtures" / "sft"


def bins(lengths, capacity):
    """Lengths of the examples in each packed row; an example is the list [i, i, ...] of its own index."""
    rows = [[i] * n for i, n in enumerate(lengths)]
    packed = pack_dataset(Dataset.from_dict({"input_ids": rows}), seq_length=capacity, strategy="bfd")
    out = []
    for row in packed["input_ids"]:
        order = list(dict.fromkeys(row))
        out.append(sorted((row.count(i) for i in order), reverse=True))
    return sorted(out, reverse=True)


random.seed(0)
cases = []
for capacity, count, low, high in [(32, 60, 1, 32), (100, 80, 20, 70), (64, 40, 1, 10), (128, 50, 60, 128), (10, 7, 5, 6)]:
    lengths = [random.randint(low, high) for _ in range(count)]
    cases.append({"capacity": capacity, "lengths": lengths, "bins": bins(lengths, capacity)})
OUT.mkdir(exist_ok=True)
(OUT / "packing.json").write_text(json.dumps({"trl": trl.__version__, "cases": cases}) + "\n")
