"""Articles per second over a corpus, beside named peers, in one run.

    python -m benchmarks.corpus --articles DIR/vietnews/test.parquet

The articles are drawn at random from the file, the same for all. The peers are
`transformers.pipeline` with an encoder of PhoBERT-base's size (random weights: the work is the
same) at its 256 tokens, the same pipeline with this program's encoder at the 512 tokens that it
can read, and scikit-learn's TF-IDF + linear SVM. Pipelines get every article cut off at their
limit; this program reads all of it. Models are loaded and warm before the clock starts; a slow
peer is timed on the first articles only, its rate being the same for all.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import pandas as pd
import torch
import typer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    RobertaConfig,
    RobertaForSequenceClassification,
    pipeline,
)

from model.classifier import DEFAULT_CHECKPOINT
from model.corpus.columns import find_columns
from model.corpus.local_engine import LocalEngine
from model.corpus.open_source import open_source
from model.corpus.worker import Settings

logger = logging.getLogger(__name__)
ARTICLES = 1_000
PEER_ARTICLES = 120
WARM = 64  # articles before the clock starts
BATCH = 8
PHOBERT_TOKENS = 256


def sample(path: Path, count: int, folder: Path) -> Path:
    """A Parquet file of that many articles, drawn at random."""
    table = pd.read_parquet(path).sample(count, random_state=0)
    table.to_parquet(folder / "articles.parquet")
    return folder / "articles.parquet"


def texts_of(path: Path) -> list[str]:
    """Title, lead and body of every article."""
    table = pd.read_parquet(path).fillna("")
    lead = "lead" if "lead" in table else "abstract"
    return (table["title"] + "\n" + table[lead] + "\n" + table["body"]).tolist()


def rate(run: Callable[[list[str]], object], texts: list[str]) -> float:
    """Articles per second."""
    run(texts[:BATCH])
    begin = time.perf_counter()
    run(texts)
    return len(texts) / (time.perf_counter() - begin)


def own_rate(path: Path, settings: Settings) -> float:
    """Articles per second of this program, from the file to the results, once it is warm."""
    source = open_source(str(path))
    engine = LocalEngine(settings, os.cpu_count() or 1)
    done = warm = 0
    begin = 0.0
    for results in engine.results(source, 0):
        done += len(results)
        if not begin and done >= WARM:
            warm, begin = done, time.perf_counter()
    return (done - warm) / (time.perf_counter() - begin)


def classify_with(model: torch.nn.Module, tokens: int) -> Callable[[list[str]], object]:
    """A `transformers.pipeline` that cuts every text off at `tokens`."""
    tokenizer = AutoTokenizer.from_pretrained(DEFAULT_CHECKPOINT)
    classify = pipeline("text-classification", model=model, tokenizer=tokenizer, top_k=None)
    return lambda texts: classify(texts, batch_size=BATCH, truncation=True, max_length=tokens)


def main(
    articles: Annotated[Path, typer.Option(help="Parquet file: title, lead or abstract, body.")],
    count: Annotated[int, typer.Option(help="How many articles.")] = ARTICLES,
) -> None:
    """Log articles per second of every system, and its ratio to the first peer."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("transformers").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        path = sample(articles, count, Path(folder))
        texts = texts_of(path)
        columns = find_columns(open_source(str(path)).columns or ())
        large = RobertaForSequenceClassification(
            RobertaConfig(vocab_size=64_001, max_position_embeddings=258, type_vocab_size=1)
        )
        own = AutoModelForSequenceClassification.from_pretrained(
            DEFAULT_CHECKPOINT, dtype=torch.float32
        )
        words = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LinearSVC())
        words.fit(texts, [n % 2 for n in range(len(texts))])
        rates = {
            "pipeline, an encoder of PhoBERT-base's size, 256 tokens": rate(
                classify_with(large.eval(), PHOBERT_TOKENS), texts[:PEER_ARTICLES]
            ),
            "pipeline, this program's encoder, 512 tokens": rate(
                classify_with(own.eval(), 512), texts[:PEER_ARTICLES]
            ),
            "this program, themes": own_rate(path, Settings(columns=columns)),
            "this program, themes, every window of every article": own_rate(
                path, Settings(columns=columns, exact=True)
            ),
            "this program, themes and summaries": own_rate(
                path, Settings(columns=columns, summarize=True)
            ),
            "TF-IDF + linear SVM": rate(words.predict, texts),
        }
    peer = next(iter(rates.values()))
    logger.info("%d articles, %d cores", count, os.cpu_count())
    for name, value in rates.items():
        logger.info("%-56s %8.1f articles/s %8.1f x", name, value, value / peer)


if __name__ == "__main__":
    typer.run(main)
