"""One row of the output: the cells of the input and what was found, side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

ORIGINAL = " (gốc)"  # behind the name of an input column that is called like one of ours
ERROR = "error"
LINE = "line"  # of a row with an error, in JSON Lines


def result_columns(themes: Sequence[str], summaries: bool) -> list[str]:
    """The columns that a table gains.

    Args:
        themes: keys of the model's themes; none if only summaries are made.
        summaries: are there summaries?
    """
    found = ["primary", "themes", *(f"score_{theme}" for theme in themes)] if themes else []
    return [*found, *(["summary"] if summaries else []), ERROR]


def json_keys(added: Sequence[str]) -> list[str]:
    """The keys that an object of JSON Lines may gain, from the columns a table would."""
    scores = ["scores"] if "primary" in added else []
    return [*(c for c in added if not c.startswith("score_")), *scores, LINE]


def flatten(result: dict[str, Any]) -> dict[str, Any]:
    """A result as cells: the themes still a list, the summary its text, a column per score."""
    cells = {key: result[key] for key in ("primary", "themes", ERROR) if key in result}
    cells |= {f"score_{theme}": score for theme, score in result.get("scores", {}).items()}
    if "summary" in result:
        cells["summary"] = result["summary"]["text"]
    return cells


def json_default(cell: Any) -> Any:
    """What JSON has no form for, as text."""
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, Decimal):
        return str(cell)
    if isinstance(cell, bytes):
        return cell.hex()
    return str(cell)


def as_text(cell: Any) -> Any:
    """A cell as a table without types has it: a list of keys joined, nested values as JSON."""
    if isinstance(cell, list) and all(isinstance(part, str) for part in cell):
        return "; ".join(cell)
    if isinstance(cell, (list, dict)):
        return json.dumps(cell, ensure_ascii=False, default=json_default)
    return cell


def keep_apart(fields: dict[str, Any], ours: Sequence[str]) -> dict[str, Any]:
    """The input's cells, renamed where a column of ours has the same name."""

    def apart(name: str) -> str:
        stem = name
        while stem.endswith(ORIGINAL):  # our own output, classified once more
            stem = stem.removesuffix(ORIGINAL)
        return name + ORIGINAL if stem in ours else name

    return {apart(name): cell for name, cell in fields.items()}
