"""Articles that nobody has graded: what a new theme has to stand out from."""

from __future__ import annotations

import random

from labels.store import article_id
from model.corpus.columns import find_columns
from model.corpus.open_source import open_source
from model.corpus.worker import article_of_row
from model.errors import InputError
from training.retrain.examples import Example, name_of

MAX_ARTICLES = 400


def read_unlabelled(path: str, count: int = MAX_ARTICLES, seed: int = 0) -> list[Example]:
    """At most `count` articles of a corpus, drawn at random.

    Raises InputError if there are none.
    """
    source = open_source(path)
    columns = None
    if source.columns is not None and not source.has_documents:
        columns = find_columns(source.columns)
    chosen = set(random.Random(seed).sample(range(total := source.count()), min(count, total)))
    found: dict[str, Example] = {}
    for number, row in enumerate(source.rows()):
        if number not in chosen:
            continue
        try:
            article = article_of_row(row, columns)
        except InputError:
            continue
        identity = article_id(article)
        found[identity] = Example(identity, name_of(article), article, {})
    if not found:
        raise InputError(f"Không đọc được bài nào trong '{path}'.")
    return list(found.values())
