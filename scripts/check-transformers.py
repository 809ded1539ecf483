"""Does transformers read what we save? Not part of npm test: it needs Python with torch and transformers.

    python scripts/check-transformers.py DIR...                 model folders (default: the golden checkpoints)

Each folder is loaded and saved again by open-rs (in its own dtype, and sharded), loaded by transformers, and both score the same random
sequences in float32. Prints the largest difference of the log-probabilities and fails above 1e-4.
"""
import json, pathlib, subprocess, sys, tempfile

try:
    import torch
    from transformers import AutoModelForCausalLM
except ImportError as error:
    sys.exit(f"{sys.executable}: {error}: run this with a Python that has torch and transformers, e.g. that of a venv.")

ROOT = pathlib.Path(__file__).resolve().parent.parent
SAVE = """
import { loadModel, saveModel } from "./src/model/index.js";
import { padBatch, scoreTokens } from "./src/passes/index.js";
const [source, target, shard, sequences] = JSON.parse(process.argv[1]);
const model = loadModel(source);
saveModel(model, target, { companionsFrom: source, ...(shard ? { maxShardBytes: shard } : {}) });
const exact = loadModel(target, { dtype: "float32" });
const scores = scoreTokens(exact, padBatch(sequences.map((ids) => ({ ids, from: 1 }))));
console.log(JSON.stringify(scores.logps_N.toArray()));
"""


def ours(source, target, shard, sequences):
    argument = json.dumps([str(source), str(target), shard, sequences])
    command = ["node", "--import", "tsx", "--input-type=module", "-e", SAVE, argument]
    return torch.tensor(json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout))


def theirs(folder, sequences):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    out = []
    with torch.no_grad():
        for ids in sequences:
            logp = model(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
            out.append(logp.gather(1, torch.tensor(ids[1:])[:, None])[:, 0])
    return torch.cat(out)


def main():
    folders = [pathlib.Path(a).resolve() for a in sys.argv[1:]] or sorted((ROOT / "test/fixtures/models").iterdir())
    worst = 0.0
    for folder in folders:
        vocabulary = json.loads((folder / "config.json").read_text())["vocab_size"]
        sequences = [torch.randint(0, vocabulary, (n,)).tolist() for n in (40, 9, 3)]
        size = sum(f.stat().st_size for f in folder.glob("*.safetensors"))
        for shard in (None, size // 3):
            with tempfile.TemporaryDirectory() as target:
                difference = (ours(folder, target, shard, sequences) - theirs(target, sequences)).abs().max().item()
            print(f"{folder.name}{' sharded' if shard else ''}: {difference:.2e}")
            worst = max(worst, difference)
    sys.exit(worst > 1e-4)


torch.manual_seed(0)
main()
