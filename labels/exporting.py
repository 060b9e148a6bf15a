"""Write the labels of a store to a file that `labels.importing` reads as it was."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labels.importing import IMPLIED
from labels.names import theme_key
from labels.store import ABSENT, MAIN, TOUCHED, LabelStore, StoredArticle
from labels.tables import write_table
from model.errors import InputError

COLUMNS = (
    *("id", "title", "lead", "body", "labels", "touched", "absent", IMPLIED),
    *("held_out", "authors", "sources", "labelled_at"),
)


def export_labels(store: LabelStore, output: Path) -> int:
    """Write every labelled article, one row each; how many were there?

    A theme that users have added stands there by its name, the others by their keys.

    Raises InputError if the store is empty or the file cannot be written.
    """
    articles = [item for item in store.articles() if item.labels]
    if not articles:
        raise InputError("Kho nhãn chưa có bài nào.")
    names = {k: name for k, name in store.themes({}).items() if theme_key(name) == k}
    write_table(output, COLUMNS, [row_of(item, names) for item in articles])
    return len(articles)


def row_of(item: StoredArticle, names: Mapping[str, str]) -> dict[str, Any]:
    """An article of the store as a row; only what somebody has stated or implied is in it."""
    labels = item.labels.values()

    def themes(grade: int, stated: bool = True) -> list[str]:
        return [
            names.get(theme, theme)
            for theme, label in item.labels.items()
            if label.grade == grade and label.stated == stated
        ]

    return {
        "id": item.name or item.id[:12],
        "title": item.article.title,
        "lead": item.article.lead,
        "body": "\n".join(item.article.paragraphs),
        "labels": themes(MAIN),
        "touched": themes(TOUCHED),
        "absent": themes(ABSENT),
        IMPLIED: themes(ABSENT, stated=False),
        "held_out": item.held_out,
        "authors": sorted({label.author for label in labels}),
        "sources": sorted({label.source for label in labels}),
        "labelled_at": max(label.at for label in labels),
    }
