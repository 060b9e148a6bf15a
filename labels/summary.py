"""How many labels a store holds, theme by theme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labels.store import ABSENT, MAIN, TOUCHED, StoredArticle


@dataclass(frozen=True)
class ThemeCount:
    """Articles per grade of one theme; `held_out` of them are kept to measure by."""

    theme: str
    label: str
    main: int
    touched: int
    absent: int
    held_out: int


def count_labels(articles: Sequence[StoredArticle], themes: Mapping[str, str]) -> list[ThemeCount]:
    """Counts of every theme, those without a label too.

    Args:
        articles: of the store. themes: names by key.
    """
    counts = []
    for theme, label in themes.items():
        labelled = [item for item in articles if theme in item.labels]
        grades = [item.labels[theme].grade for item in labelled]
        counts.append(
            ThemeCount(
                theme,
                label,
                grades.count(MAIN),
                grades.count(TOUCHED),
                grades.count(ABSENT),
                sum(item.held_out for item in labelled),
            )
        )
    return counts
