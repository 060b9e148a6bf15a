"""Note beside a theme checkpoint what its encoder sees of newspaper articles on anything.

    python -m training.describe_background runs/themes --articles DIR/vietnews/train.parquet

`training.retrain` sets new themes apart from it (`model/background.py`).
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import pandas as pd
import torch
import typer

from model.article import Article
from model.background import Background
from model.classifier import ThemeClassifier
from model.errors import InputError
from model.features import article_features

logger = logging.getLogger(__name__)
CHUNK = 100  # articles between two lines of the log


def main(
    checkpoint: Annotated[Path, typer.Argument(help="Folder of the theme checkpoint.")],
    articles: Annotated[Path, typer.Option(help="Parquet file of articles on anything.")],
    count: Annotated[int, typer.Option(help="How many to read, drawn at random.")] = 1500,
    seed: int = 5,
) -> None:
    """Read articles and write their mean and covariance beside the weights."""
    logging.basicConfig(level=logging.INFO)
    classifier = ThemeClassifier(checkpoint)
    table = pd.read_parquet(articles)
    lead = "lead" if "lead" in table else "abstract"
    drawn = []
    for row in table.sample(min(count, len(table)), random_state=seed).to_dict("records"):
        try:
            drawn.append(Article.from_fields(row["title"], row[lead], row["body"]))
        except InputError:
            continue  # a table of figures, or a stub
    means = []
    for start in range(0, len(drawn), CHUNK):
        seen = article_features(classifier, drawn[start : start + CHUNK])
        means += [article.mean for article in seen]
        logger.info("%d of %d articles", len(means), len(drawn))
    Background.of(torch.stack(means)).save(checkpoint)


if __name__ == "__main__":
    typer.run(main)
