"""Which articles of a corpus are most worth labelling: uncertain ones, unlike one another.

The articles nearest to a threshold are clustered by what the model sees in them, and of each
cluster the most uncertain is taken (Zhdanov 2019, "Diverse mini-batch Active Learning").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.cluster import KMeans

from labels.importing import UNREAD
from labels.store import article_id
from model.article import Article
from model.classifier import ThemeClassifier
from model.corpus.columns import TextColumns, columns_of
from model.corpus.source import CHUNK, FILE, Source, chunks_of
from model.corpus.worker import article_of_row
from model.errors import InputError
from model.features import article_features

POOL = 6  # uncertain articles looked at for each one that is suggested
COLUMNS = ("id", "title", "lead", "body", "labels", "suggested", "scores")


@dataclass(frozen=True, eq=False)
class Candidate:
    """An article with the logits of the themes as main topics, and how uncertain they are."""

    name: str
    article: Article
    logits: torch.Tensor
    distance: float  # of the nearest theme's logit from its threshold, in log-odds


def candidates(
    source: Source,
    columns: TextColumns | None,
    classifier: ThemeClassifier,
    known: set[str],
    on_progress: Callable[[int], None],
) -> Iterator[Candidate]:
    """Every article that is not in the store yet; rows without one are passed over.

    Args:
        known: ids of the labelled articles.
        on_progress: called with the number of rows read so far.
    """
    topics = [classifier.labels.index(theme) for theme in classifier.themes]
    limits = classifier.threshold_logits[topics]
    done = 0
    seen = set(known)
    for chunk in chunks_of(source, 0, None):
        articles: list[tuple[str, Article]] = []
        for row in chunk:
            try:
                article = article_of_row(row, columns)
            except InputError:
                continue
            if (identity := article_id(article)) not in seen:
                seen.add(identity)
                name_column = FILE if row.document else columns_of(tuple(row.fields)).id
                articles.append((str(row.fields.get(name_column or "", row.number)), article))
        logits = classifier.logits([article for _, article in articles], early_exit=True)
        for (name, article), scores in zip(articles, logits[:, topics], strict=True):
            yield Candidate(name, article, scores, float((scores - limits).abs().min()))
        done += len(chunk)
        on_progress(done)


def choose(pool: Sequence[Candidate], classifier: ThemeClassifier, count: int) -> list[Candidate]:
    """`count` of the candidates, the most uncertain of each cluster, most uncertain first."""
    if len(pool) <= count:
        return sorted(pool, key=lambda c: c.distance)
    seen = article_features(classifier, [candidate.article for candidate in pool])
    features = np.stack([article.mean.numpy() for article in seen])
    clusters = KMeans(count, n_init=3, random_state=0).fit_predict(features)
    best: dict[int, Candidate] = {}
    for cluster, candidate in zip(clusters, pool, strict=True):
        if cluster not in best or candidate.distance < best[cluster].distance:
            best[cluster] = candidate
    chosen = sorted(best.values(), key=lambda c: c.distance)
    # Where many look the same there are fewer clusters.
    rest = sorted((c for c in pool if c not in chosen), key=lambda c: c.distance)
    return [*chosen, *rest[: count - len(chosen)]]


def suggest(
    source: Source,
    columns: TextColumns | None,
    classifier: ThemeClassifier,
    known: set[str],
    count: int,
    on_progress: Callable[[int], None] = lambda done: None,
) -> list[dict[str, Any]]:
    """Rows to be labelled, as `labels.importing` reads them back.

    Returns: records of `COLUMNS`; `labels` says that nobody has read the article yet.
    """
    pool: list[Candidate] = []
    for candidate in candidates(source, columns, classifier, known, on_progress):
        pool.append(candidate)
        if len(pool) >= 2 * POOL * count + CHUNK:  # so that a corpus of any size fits
            pool = sorted(pool, key=lambda c: c.distance)[: POOL * count]
    pool = sorted(pool, key=lambda c: c.distance)[: POOL * count]
    records = []
    for candidate in choose(pool, classifier, count):
        article, shares = candidate.article, torch.sigmoid(candidate.logits).tolist()
        scores = dict(zip(classifier.themes, (round(share, 3) for share in shares), strict=True))
        found = [
            theme
            for theme in classifier.themes
            if scores[theme] >= classifier.settings[theme]["threshold"]
        ]
        records.append(
            {
                "id": candidate.name,
                "title": article.title,
                "lead": article.lead,
                "body": "\n".join(article.paragraphs),
                "labels": UNREAD,
                "suggested": found,
                "scores": scores,
            }
        )
    return records
