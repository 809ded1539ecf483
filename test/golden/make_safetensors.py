"""Writes test/fixtures/safetensors: files by the Python library, and the values in them.

safetensors 0.8.0, torch 2.13.0. Run: python test/golden/make_safetensors.py
"""
import json
import struct
from pathlib import Path

import torch
from safetensors.torch import save_file

out = Path(__file__).parent.parent / "fixtures" / "safetensors"
out.mkdir(parents=True, exist_ok=True)

floats = torch.tensor([[0.0, -1.5, 3.25], [65504.0, -0.0009765625, 1e-3]])
tensors = {
    "f32": floats,
    "f64": floats.double() / 3,
    "bf16": floats.bfloat16(),
    "f16": floats.half(),
    "i32": torch.tensor([-(2**31), 0, 2**31 - 1], dtype=torch.int32),
    "i64": torch.tensor([[-(2**63)], [2**53 + 1], [2**63 - 1]]),
    "u8": torch.tensor([0, 127, 255], dtype=torch.uint8),
    "bool": torch.tensor([True, False, True]),
    "scalar": torch.tensor(2.5),
    "empty": torch.zeros(0, 4),
    "10": torch.ones(1),  # JavaScript's objects would put integer names first
    "größe \"quoted\"\n": torch.ones(2),
}
save_file(tensors, out / "all-dtypes.safetensors", metadata={"format": "pt"})
save_file({}, out / "empty.safetensors")


def raw(tensor):
    return tensor.contiguous().view(-1).view(torch.uint8).numpy().tobytes().hex() if tensor.numel() else ""


golden = {
    name: {"dtype": str(t.dtype).removeprefix("torch."), "shape": list(t.shape), "hex": raw(t.reshape(-1))}
    for name, t in tensors.items()
}
(out / "all-dtypes.json").write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n")

# Valid by the format, though the library itself pads: float32 and int64 at odd offsets.
header = json.dumps(
    {
        "flag": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},
        "weight": {"dtype": "F32", "shape": [2], "data_offsets": [1, 9]},
        "count": {"dtype": "I64", "shape": [], "data_offsets": [9, 17]},
    }
).encode()
data = b"\x07" + struct.pack("<ff", 1.5, -2.0) + struct.pack("<q", -(2**60))
(out / "unaligned.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + data)
