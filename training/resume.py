"""Go on with a killed training run, but never with another run's checkpoint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.data import LabelledArticle


def fingerprint(articles: Sequence[LabelledArticle], settings: dict[str, Any]) -> str:
    """What makes a run the same run: its settings, and its articles with their grades."""
    rows = [[a.id, a.article.text, a.grades] for a in articles]
    return hashlib.sha256(json.dumps([settings, rows], ensure_ascii=False).encode()).hexdigest()


def can_resume(work: Path, run: str) -> bool:
    """Is there a checkpoint in `work` to go on from? Notes there whose it is.

    Args:
        run: the run's `fingerprint`.

    Raises:
        ValueError: the checkpoint is of a run with other settings or other articles.
    """
    note = work / "run.sha256"
    found = any(work.glob("checkpoint-*"))
    if found and (not note.exists() or note.read_text() != run):
        raise ValueError(
            f"{work} holds the checkpoint of a run with other settings or articles: "
            "remove it, or choose another --output"
        )
    work.mkdir(parents=True, exist_ok=True)
    note.write_text(run)
    return found
