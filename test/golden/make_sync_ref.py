"""A reference that follows the policy, by TRL's SyncRefModelCallback (trl 1.13, torch 2.13).

    OMP_NUM_THREADS=1 python test/golden/make_sync_ref.py

test/fixtures/training/sync-ref.json
    alpha, start (of the reference), models (one per sync), references (after each)
"""
import json, pathlib
import torch
from trl.trainer.callbacks import SyncRefModelCallback

OUT = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "training" / "sync-ref.json"


def case(seed, alpha, syncs=4, n=6):
    generator = torch.Generator().manual_seed(seed)
    model, reference = torch.nn.Linear(n, 1, bias=False), torch.nn.Linear(n, 1, bias=False)
    draw = lambda target: torch.nn.init.normal_(target.weight, generator=generator).tolist()[0]
    start, models, references = draw(reference), [], []
    for _ in range(syncs):
        models.append(draw(model))
        SyncRefModelCallback._sync_target_model(model, reference, alpha)
        references.append(reference.weight.tolist()[0])
    return {"alpha": alpha, "start": start, "models": models, "references": references}


OUT.write_text(json.dumps([case(1, 0.6), case(2, 0.05), case(3, 1.0)]) + "\n")
