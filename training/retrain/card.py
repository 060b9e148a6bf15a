"""The model card of a version that was trained from a user's labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from model.registry import RECORD
from training.model_card import figure, table

CARD = """---
language: vi
pipeline_tag: text-classification
library_name: transformers
---

# Themes of Vietnamese articles, trained on this machine

Version of {created}, made from `{parent}` by `chude train --{mode}` with {examples} labelled
articles, in {seconds} s. `AutoModelForSequenceClassification` loads the transformer; the linear
model over words beside it (`words.safetensors`) has half the say in every logit.

Settings: `{settings}`. Fingerprint of the labels: `{fingerprint}`.

## Measured

F1 on articles held out of training: labels of the store, and the check articles of the project. The
interval is that of nine in ten resamplings of the articles.

{table}
"""


def f1_cell(measure: dict[str, float] | None) -> str:
    """F1 with its interval; a dash where there is none."""
    if measure is None:
        return "–"
    return f"{figure(measure['f1'])} ({figure(measure['low'])}–{figure(measure['high'])})"


def write_card(checkpoint: Path) -> None:
    """Write README.md from the version's record."""
    record: dict[str, Any] = json.loads((checkpoint / RECORD).read_text("utf-8"))
    rows = [
        [
            theme["label"],
            f"{theme['positives']} / {theme['graded']}",
            f1_cell(theme["current"]),
            f1_cell(theme["candidate"]),
        ]
        for theme in record["comparison"]["themes"]
    ]
    header = ["theme", "about it / graded", f"F1 of {record['parent']}", "F1 of this version"]
    card = CARD.format(table=table(header, rows), **record)
    (checkpoint / "README.md").write_text(card, "utf-8")
