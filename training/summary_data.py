"""What a sentence is worth in a summary, from articles with reference summaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from model.article import Article
from model.errors import InputError
from training.rouge import f1, ngrams, syllables

ORACLE_SENTENCES = 3
SAMPLE_SEED = 0
ORACLE_BONUS = 0.15  # for the sentences that together come nearest to the reference


@dataclass(frozen=True)
class SummarizedArticle:
    """An article with its reference summary.

    Attributes:
        id: the collection's own.
        title, paragraphs: what is summarised.
        sentences: those of the paragraphs; the title is none.
        reference: the abstract that its editors wrote, or what a reader chose.
    """

    id: str
    title: str
    paragraphs: tuple[str, ...]
    sentences: list[str]
    reference: str


def read_articles(
    path: Path, sample: int | None = None, without: Collection[str] = ()
) -> Iterator[SummarizedArticle]:
    """The articles of a VietNews Parquet file, in its order, or a random sample of them.

    The collection is ordered by newspaper: the first articles are no fair sample of it.

    Args:
        without: ids of articles that are left out.
    """
    table = pd.read_parquet(path, columns=["id", "title", "abstract", "body"])
    if sample is not None:
        table = table.sample(min(sample, len(table)), random_state=SAMPLE_SEED)
    for row in table[~table["id"].isin(without)].to_dict("records"):
        try:
            article = Article.from_fields(row["title"], None, row["body"])
        except InputError:
            continue
        sentences = article.body_sentences
        if sentences and row["abstract"].strip():
            yield SummarizedArticle(
                row["id"], article.title, article.paragraphs, sentences, row["abstract"]
            )


def bags(text: str) -> tuple[Counter, Counter]:
    """Syllables and pairs of syllables of a text."""
    tokens = syllables(text)
    return ngrams(tokens, 1), ngrams(tokens, 2)


def rouge_12(reference: tuple[Counter, Counter], summary: tuple[Counter, Counter]) -> float:
    """Mean of ROUGE-1 and ROUGE-2 (syllables)."""
    return (f1(reference[0], summary[0]) + f1(reference[1], summary[1])) / 2


def sentence_worth(article: SummarizedArticle) -> np.ndarray:
    """ROUGE of each sentence alone against the reference, shape (sentences,)."""
    reference = bags(article.reference)
    return np.array([rouge_12(reference, bags(s)) for s in article.sentences])


def greedy_oracle(article: SummarizedArticle) -> list[int]:
    """The sentences that together come nearest to the reference (Nallapati et al. 2017)."""
    reference = bags(article.reference)
    own = [bags(sentence) for sentence in article.sentences]
    chosen: list[int] = []
    total: tuple[Counter, Counter] = (Counter(), Counter())
    best = 0.0
    while len(chosen) < ORACLE_SENTENCES:
        gains = {
            i: rouge_12(reference, (total[0] + one, total[1] + two))
            for i, (one, two) in enumerate(own)
            if i not in chosen
        }
        if not gains or max(gains.values()) <= best:
            break
        pick = max(gains, key=lambda i: gains[i])
        best = gains[pick]
        total = (total[0] + own[pick][0], total[1] + own[pick][1])
        chosen.append(pick)
    return sorted(chosen)


def reference_worth(article: SummarizedArticle) -> np.ndarray:
    """What each sentence is worth by the reference summary, shape (sentences,)."""
    worth = sentence_worth(article)
    worth[greedy_oracle(article)] += ORACLE_BONUS
    return worth
