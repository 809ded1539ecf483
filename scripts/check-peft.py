"""Does PEFT read the adapters we save? Not part of npm test: it needs Python with torch, transformers and peft.

    python scripts/check-peft.py DIR...                 model folders (default: the golden checkpoints)

On each folder open-rs makes new adapters with random B, saves them, and merged; PEFT loads both, and both score the same random
sequences in float32. Prints the largest differences of the log-probabilities and fails above 1e-4.
"""
import json, pathlib, subprocess, sys, tempfile

try:
    import torch
    from peft import AutoPeftModelForCausalLM
    from transformers import AutoModelForCausalLM
except ImportError as error:
    sys.exit(f"{sys.executable}: {error}: run this with a Python that has torch, transformers and peft, e.g. that of a venv.")

ROOT = pathlib.Path(__file__).resolve().parent.parent
SAVE = """
import { addLora, loadModel, loraModules, saveModel } from "./src/model/index.js";
import { padBatch, scoreTokens } from "./src/passes/index.js";
import { noGrad, ops } from "./src/torch/index.js";
const { source, target, settings, sequences } = JSON.parse(process.argv[1]);
const base = loadModel(source, { dtype: "float32", copy: true });
const modules = loraModules(settings.modules, base);
const model = addLora(base, { base: source, seed: 1, dropout: 0.05, ...settings, modules });
noGrad(() => { for (const { b } of model.lora.modules().values()) ops.uniform_(b, { from: -0.2, to: 0.2 }); });
saveModel(model, target + "/adapter", { companionsFrom: source });
saveModel(model, target + "/merged", { companionsFrom: source, merge: true });
const live = loadModel(target + "/adapter", { dtype: "float32" });
console.log(JSON.stringify(scoreTokens(live, padBatch(sequences.map((ids) => ({ ids, from: 1 })))).logps_N.toArray()));
"""
CASES = {
    "all-linear": dict(rank=4, alpha=8, rslora=False, modules="all-linear"),
    "q and v, rslora": dict(rank=3, alpha=5, rslora=True, modules=None),
    "down": dict(rank=2, alpha=2, rslora=False, modules=["down_proj"]),
}


def ours(argument):
    command = ["node", "--import", "tsx", "--input-type=module", "-e", SAVE, json.dumps(argument)]
    return torch.tensor(json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout))


def theirs(model, sequences):
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
        base = theirs(AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), sequences)
        for name, settings in CASES.items():
            with tempfile.TemporaryDirectory() as target:
                scores = ours(dict(source=str(folder), target=target, settings=settings, sequences=sequences))
                live = theirs(AutoPeftModelForCausalLM.from_pretrained(target + "/adapter", dtype=torch.float32), sequences)
                merged = theirs(AutoModelForCausalLM.from_pretrained(target + "/merged", dtype=torch.float32), sequences)
            differences = [(x - scores).abs().max().item() for x in (live, merged)]
            moved = (base - scores).abs().max().item()
            print(f"{folder.name}, {name}: adapter {differences[0]:.2e}, merged {differences[1]:.2e} (base {moved:.2f} away)")
            worst = max(worst, *differences, float("inf") if moved < 0.1 else 0.0)
    sys.exit(worst > 1e-4)


torch.manual_seed(0)
main()
