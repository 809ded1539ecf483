"""Makes test/fixtures/data: Parquet files of nested rows in several compressions, and the same rows as JSON.

    python test/golden/data.py        (pyarrow 25.0.1)
"""
import json
import os

import pyarrow as pa
import pyarrow.parquet as pq

OUT = os.path.join(os.path.dirname(__file__), "..", "fixtures", "data")
os.makedirs(OUT, exist_ok=True)
ROWS = [
    {
        "problem": f"What is {i} + {i}? — Größe 🚀" if i % 3 else "",
        "answer": str(2 * i),
        "level": i if i % 4 else None,
        "big": 2**40 + i,
        "huge": 2**62 + i,
        "score": i / 8,
        "hard": i % 2 == 0,
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": f"u{i}"}][: i % 3],
        "meta": {"source": {"name": "made", "year": 2000 + i}, "tags": ["a", "b"][: i % 3]} if i % 5 else None,
        "steps": [[i], [i, i + 1]] if i % 2 else [],
    }
    for i in range(12)
]
meta = pa.struct([("source", pa.struct([("name", pa.string()), ("year", pa.int32())])), ("tags", pa.list_(pa.string()))])
schema = pa.schema([
    ("problem", pa.string()), ("answer", pa.string()), ("level", pa.int64()), ("big", pa.int64()), ("huge", pa.int64()), ("score", pa.float64()),
    ("hard", pa.bool_()), ("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))), ("meta", meta), ("steps", pa.list_(pa.list_(pa.int32()))),
])
table = pa.Table.from_pylist(ROWS, schema=schema)
for compression in ["none", "snappy", "gzip", "zstd", "brotli", "lz4"]:
    pq.write_table(table, os.path.join(OUT, f"nested-{compression}.parquet"), compression=compression, row_group_size=5)
# Beyond 2^53 we read integers as text.
for row in ROWS:
    row["huge"] = str(row["huge"])
with open(os.path.join(OUT, "nested.json"), "w") as f:
    json.dump(ROWS, f, ensure_ascii=False, indent=0)
