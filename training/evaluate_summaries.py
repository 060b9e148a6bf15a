"""Measure extractive summaries on articles with reference summaries, beside baselines.

    python -m training.evaluate_summaries model/checkpoints/sentences \\
        --train DIR/vietnews/train.parquet --test DIR/vietnews/test.parquet

Writes `metrics.json` and the model card beside the weights. The whole split takes an hour on two
cores; `--sample` measures a random part of it, and the first 500 articles all the same.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from sumy.models.dom import ObjectDocumentModel, Paragraph, Sentence
from sumy.summarizers.text_rank import TextRankSummarizer

from model.article import Article
from model.faithfulness import unsupported
from model.summarizer import Summarizer, choose
from training.rouge import name_rouge, rouge_rows, syllables
from training.sentence_features import FeatureModel
from training.summary_card import write_summary_card
from training.summary_data import SummarizedArticle, greedy_oracle, read_articles

logger = logging.getLogger(__name__)
FEATURE_ARTICLES = 8_000
FIRST = 500  # articles of the published independent run of ViT5
CHUNK = 128  # articles that a worker gets at once
System = Callable[[list[SummarizedArticle]], list[str]]
system: System  # of a worker process


class SyllableWords:
    """What sumy asks of a tokenizer."""

    def to_words(self, sentence: str) -> list[str]:
        """Syllables of a sentence."""
        return syllables(sentence)


def text_rank(sentences: list[str]) -> list[float]:
    """Centrality of each sentence (Mihalcea & Tarau 2004), as sumy computes it."""
    own = [Sentence(sentence, SyllableWords()) for sentence in sentences]
    ratings = TextRankSummarizer().rate_sentences(ObjectDocumentModel([Paragraph(own)]))
    return [ratings.get(sentence, 0.0) for sentence in own]


class Extract:
    """A system that picks sentences of an article."""

    def __init__(self, pick: Callable[[SummarizedArticle], list[int]]) -> None:
        self.pick = pick

    def __call__(self, articles: list[SummarizedArticle]) -> list[str]:
        """The picked sentences of each article, joined."""
        return [" ".join(a.sentences[i] for i in sorted(self.pick(a))) for a in articles]


class Embedded:
    """What the program itself shows."""

    def __init__(self, checkpoint: Path) -> None:
        self.summarizer = Summarizer(checkpoint)

    def __call__(self, articles: list[SummarizedArticle]) -> list[str]:
        """The summary of each article."""
        plain = [Article(a.title, "", a.paragraphs) for a in articles]
        return [summary.text for summary in self.summarizer.summarize(plain)]


def lead(count: int) -> System:
    """The first sentences."""
    return Extract(lambda a: list(range(len(a.sentences)))[:count])


def boosted(model: FeatureModel) -> System:
    """Gradient boosting on plain features, with this program's choice of sentences.

    The title's words are among the features already.
    """
    return Extract(lambda a: choose(a.sentences, model.scores(a.title, a.sentences)))


def central() -> System:
    """TextRank, with this program's choice of sentences; it knows no title."""
    return Extract(lambda a: choose(a.sentences, text_rank(a.sentences)))


def start(make: Callable[..., System], argument: Any) -> None:
    """What a worker does first: build the system that it will run."""
    global system
    system = make() if argument is None else make(argument)


def run(articles: list[SummarizedArticle]) -> dict[str, Any]:
    """Figures of every one of a worker's articles."""
    texts = system(articles)
    return {
        "rouge": rouge_rows(list(zip([a.reference for a in articles], texts, strict=True))),
        "syllables": [len(syllables(text)) for text in texts],
        "unsupported": [
            bool(unsupported(text, "\n".join([a.title, *a.sentences])))
            for a, text in zip(articles, texts, strict=True)
        ],
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def measure(
    articles: list[SummarizedArticle],
    start_of_sample: int,
    make: Callable[..., System],
    argument: Any = None,
) -> dict[str, Any]:
    """ROUGE on both scales, of the split and of its first articles; time; unsupported summaries.

    Args:
        articles: the split; or its first articles and, behind them, a random sample of it.
        start_of_sample: number of the first article that stands for the whole split.
        make, argument: how a worker builds the system.
    """
    begin = time.perf_counter()
    chunks = [articles[i : i + CHUNK] for i in range(0, len(articles), CHUNK)]
    with ProcessPoolExecutor(
        mp_context=get_context("spawn"), initializer=start, initargs=(make, argument)
    ) as workers:
        parts = list(workers.map(run, chunks))
    rows = np.concatenate([part["rouge"] for part in parts])
    return {
        "articles": len(articles) - start_of_sample,
        "rouge": name_rouge(rows[start_of_sample:].mean(0)),
        "rouge_first": name_rouge(rows[:FIRST].mean(0)),
        "syllables": float(np.mean([n for part in parts for n in part["syllables"]])),
        "unsupported": float(np.mean([u for part in parts for u in part["unsupported"]])),
        "seconds_per_article": (time.perf_counter() - begin) / len(articles),
        "megabytes": max(part["megabytes"] for part in parts),
    }


def main(
    checkpoint: Annotated[Path, typer.Argument(help="Sentence scorer.")],
    train: Annotated[Path, typer.Option(help="Parquet file that the baseline learns from.")],
    test: Annotated[Path, typer.Option(help="Parquet file to measure on.")],
    sample: Annotated[
        int | None, typer.Option(help="Measure so many articles, drawn at random, not all.")
    ] = None,
) -> None:
    """ROUGE of the scorer and of its baselines, on both scales, a process for every core."""
    logging.basicConfig(level=logging.INFO)
    # Before a worker loads a library that makes threads: there is a process for every core.
    os.environ["OMP_NUM_THREADS"] = "1"
    articles = list(islice(read_articles(test), FIRST if sample else None))
    start_of_sample = FIRST if sample else 0
    articles += list(read_articles(test, sample)) if sample else []
    boosting = FeatureModel(list(read_articles(train, FEATURE_ARTICLES)))
    systems: dict[str, tuple[Callable[..., System], Any]] = {
        "this model": (Embedded, checkpoint),
        "lead-1": (lead, 1),
        "lead-2": (lead, 2),
        "TextRank": (central, None),
        "boosting on 16 features": (boosted, boosting),
        "oracle of up to 3 sentences": (Extract, greedy_oracle),
    }
    figures: dict[str, Any] = {}
    for name, (make, argument) in systems.items():
        figures[name] = measure(articles, start_of_sample, make, argument)
        logger.info("%s %s", name, json.dumps(figures[name]))
    (checkpoint / "metrics.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    write_summary_card(checkpoint)


if __name__ == "__main__":
    typer.run(main)
