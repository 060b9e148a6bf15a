"""Which sentences a reader would print under the title of an article.

`data/summary-choices.tsv` names articles of the public collections by id: into how many sentences
they are cut, and the numbers of those that make the best summary (the most important one first), of
others that would be good in one (`also`), and of those that look like news and are a poor choice
(`bad`). The reader was a language model, asked as an editor.
`data/summary-choices-second.tsv` holds a second reading of the test articles by the same model. One
article in seven is for validation, by a hash of its id; the test articles were drawn apart.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from model.article import Article
from training.data import DATA, read_texts
from training.summary_data import SummarizedArticle

logger = logging.getLogger(__name__)
CHOICES = DATA / "summary-choices.tsv"
SECOND_READING = DATA / "summary-choices-second.tsv"
# On the scale of ROUGE, so that articles of both kinds can be learnt from together.
BEST, ALSO, NEITHER, BAD = 0.65, 0.4, 0.1, 0.0


@dataclass(frozen=True)
class Choice:
    """An article and what a reader chose.

    Attributes:
        id: the collection's own.
        article: as it is to be summarised: a VietNews article without its abstract.
        best, also, bad: numbers of body sentences.
    """

    id: str
    article: Article
    best: tuple[int, ...]
    also: tuple[int, ...]
    bad: tuple[int, ...]

    def worth(self) -> np.ndarray:
        """What each body sentence is worth, shape (sentences,)."""
        worth = np.full(len(self.article.body_sentences), NEITHER)
        for value, numbers in ((BEST, self.best), (ALSO, self.also), (BAD, self.bad)):
            worth[list(numbers)] = value
        return worth

    def summarized(self) -> SummarizedArticle:
        """The article with the chosen sentences as its reference summary."""
        article = self.article
        paragraphs = tuple(p for p in (article.lead, *article.paragraphs) if p)
        sentences = article.body_sentences
        reference = " ".join(sentences[i] for i in sorted(self.best))
        return SummarizedArticle(self.id, article.title, paragraphs, sentences, reference)


def numbers(cell: str) -> tuple[int, ...]:
    """The numbers in a cell of the table."""
    return tuple(int(number) for number in cell.split(",") if number)


def read_choices(corpus: Path, split: str, path: Path = CHOICES) -> list[Choice]:
    """The choices of a split ("train", "validation" or "test").

    Articles that are cut into sentences otherwise than when they were read are left out.

    Args:
        corpus: folder of the public texts, as Parquet files.

    Raises:
        ValueError: an article is not under `corpus`.
    """
    table = pd.read_csv(path, sep="\t", index_col="id", dtype=str, keep_default_na=False)
    table = table[table["split"] == split]
    texts = read_texts(corpus, set(table.index), with_abstracts=False)
    choices = [
        Choice(
            str(name),
            texts[str(name)],
            best=numbers(row["best"]),
            also=numbers(row["also"]),
            bad=numbers(row["bad"]),
        )
        for name, row in table.iterrows()
        if len(texts[str(name)].body_sentences) == int(row["sentences"])
    ]
    if len(choices) < len(table):
        logger.warning("%d articles are cut into other sentences now", len(table) - len(choices))
    return choices


def chosen_ids(path: Path = CHOICES) -> set[str]:
    """The ids of all articles of which sentences were chosen, of every split."""
    return set(pd.read_csv(path, sep="\t", usecols=["id"])["id"])
