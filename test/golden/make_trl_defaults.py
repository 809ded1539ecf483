"""Defaults of TRL's GRPOConfig, ModelConfig and ScriptArguments → test/fixtures/recipe/trl-defaults.json. Made with trl 1.13.0, transformers 5.18.0."""

import dataclasses
import json
from pathlib import Path

from trl import GRPOConfig, ModelConfig, ScriptArguments

defaults = {}
for field in [f for kind in (ScriptArguments, ModelConfig, GRPOConfig) for f in dataclasses.fields(kind)]:
    if field.default is not dataclasses.MISSING:
        value = field.default
    elif field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    else:
        continue
    value = getattr(value, "value", value)
    if value is None or isinstance(value, (bool, int, float, str, list, dict)):
        defaults[field.name] = value
path = Path(__file__).parents[1] / "fixtures/recipe/trl-defaults.json"
path.write_text(json.dumps(defaults, indent=1, sort_keys=True) + "\n")
