"""Add newly graded articles to `labels.tsv`, each on the side of the split where its story is.

    python -m training.add_labels --graded MORE.tsv --corpus DIR

The test split stays as it is: a new article that tells a story of the test split is left out.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from training.data import DATA, KEYS, read_labels, read_texts
from training.split_labels import story_groups

logger = logging.getLogger(__name__)
VALIDATION_SHARE = 1 / 8  # of new stories; the others are for training


def split_of_stories(
    groups: np.ndarray, splits: list[str | None], rng: np.random.Generator
) -> list[str]:
    """The split of every article: that of its story, drawn for stories seen for the first time.

    Args:
        groups: the number of each article's story, shape (articles,).
        splits: each article's split, None for new ones.
    """
    known: dict[int, str] = {}
    for name in ("train", "validation", "test"):  # a story that is held out is held out wholly
        known |= {g: name for g, split in zip(groups, splits, strict=True) if split == name}
    for group in np.unique(groups):
        known.setdefault(group, "validation" if rng.random() < VALIDATION_SHARE else "train")
    return [known[group] for group in groups]


def main(
    graded: Annotated[Path, typer.Option(help="TSV: id and a grade per theme.")],
    corpus: Annotated[Path, typer.Option(help="Folder with the Parquet files of the texts.")],
    output: Annotated[Path, typer.Option(help="Label file to extend.")] = DATA / "labels.tsv",
    seed: int = 20,
) -> None:
    """Add graded articles to the label file."""
    logging.basicConfig(level=logging.INFO)
    labels = read_labels(output)
    new = pd.read_csv(graded, sep="\t", index_col="id")[KEYS]
    if not (new.index.is_unique and new.isin([0, 1, 2]).all().all()):
        raise typer.BadParameter(f"{graded}: every id once, every grade 0, 1 or 2")
    new = new[~new.index.isin(labels.index)]
    ids = [*labels.index, *new.index]
    texts = read_texts(corpus, set(ids))
    groups = story_groups([texts[i].text for i in ids])
    splits = [*labels["split"], *[None] * len(new)]
    drawn = split_of_stories(groups, splits, np.random.default_rng(seed))[len(labels) :]
    new.insert(0, "split", drawn)
    taken = new[new["split"] != "test"]
    pd.concat([labels, taken]).astype({"dan_van_2": "Int64"}).to_csv(output, sep="\t")
    logger.info(
        "%d new, %d left out\n%s", len(new), len(new) - len(taken), taken["split"].value_counts()
    )


if __name__ == "__main__":
    typer.run(main)
