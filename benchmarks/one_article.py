"""Seconds that one pasted article takes, step by step, beside an encoder of PhoBERT-base's size.

    python -m benchmarks.one_article

The article is made of the samples, cut to 600 syllables. The peer has random weights (the work is
the same) and reads the article once, in windows of its 256 tokens.
"""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
import typer
from transformers import RobertaConfig, RobertaForSequenceClassification

from model.analysis import analyze_article, load_classifier, load_summarizer
from model.article import Article
from model.windows import article_windows, pad_windows

logger = logging.getLogger(__name__)
SAMPLES = Path(__file__).parents[1] / "samples"
SYLLABLES = 600
REPEATS = 9


def sample_article() -> Article:
    """Title and paragraphs of the samples, cut to `SYLLABLES`."""
    texts = [path.read_text("utf-8") for path in sorted(SAMPLES.glob("*.txt"))]
    paragraphs: list[str] = []
    left = SYLLABLES
    for paragraph in "\n".join(texts).split("\n"):
        words = paragraph.split()[:left]
        left -= len(words)
        paragraphs.append(" ".join(words))
    return Article.from_text("\n".join(p for p in paragraphs if p))


def median_seconds(step: Callable[[], object]) -> float:
    """Median over `REPEATS` calls, after a first one that does not count."""
    step()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Log the median time of every step."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    classifier, summarizer = load_classifier(), load_summarizer()
    article = sample_article()
    config = RobertaConfig(vocab_size=64_001, max_position_embeddings=258, type_vocab_size=1)
    peer = RobertaForSequenceClassification(config).eval()
    inputs = pad_windows(article_windows(classifier.tokenizer, article, 256), 1)

    @torch.inference_mode()
    def read_with_peer() -> object:
        return peer(**inputs)

    themes = [t.theme for t in classifier.predict([article])[0] if t.is_mentioned]
    steps: dict[str, Callable[[], object]] = {
        "themes": lambda: classifier.predict([article]),
        f"evidence of {len(themes)} themes": lambda: classifier.evidence(article, themes),
        "summary": lambda: summarizer.summarize([article]),
        "all of an analysis": lambda: analyze_article(article, classifier, summarizer),
        "an encoder of PhoBERT-base's size, once": read_with_peer,
    }
    logger.info("%d syllables, %d threads", len(article.text.split()), torch.get_num_threads())
    for name, step in steps.items():
        logger.info("%-40s %.2f s", name, median_seconds(step))


if __name__ == "__main__":
    typer.run(main)
