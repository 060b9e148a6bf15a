"""One row of the output: the cells of the input and what was found, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

ORIGINAL = " (gốc)"  # behind the name of an input column that is called like one of ours
ERROR = "error"


def result_columns(themes: Sequence[str], summaries: bool) -> list[str]:
    """The columns that a table gains.

    Args:
        themes: keys of the model's themes; none if only summaries are made.
        summaries: are there summaries?
    """
    found = ["primary", "themes", *(f"score_{theme}" for theme in themes)] if themes else []
    return [*found, *(["summary"] if summaries else []), ERROR]


def flatten(result: dict[str, Any]) -> dict[str, Any]:
    """A result as cells: the themes still a list, the summary its text, a column per score."""
    cells = {key: result[key] for key in ("primary", "themes", ERROR) if key in result}
    cells |= {f"score_{theme}": score for theme, score in result.get("scores", {}).items()}
    if "summary" in result:
        cells["summary"] = result["summary"]["text"]
    return cells


def keep_apart(fields: dict[str, Any], ours: Sequence[str]) -> dict[str, Any]:
    """The input's cells, renamed where a column of ours has the same name."""
    if fields.keys().isdisjoint(ours):
        return fields
    return {name + ORIGINAL if name in ours else name: cell for name, cell in fields.items()}
