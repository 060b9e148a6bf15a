"""Split the graded articles so that near-duplicates do not cross, and write `labels.tsv`.

python -m training.split_labels --graded graded.tsv --second graded-second.tsv --corpus DIR
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedGroupKFold

from training.data import DATA, KEYS, read_texts

logger = logging.getLogger(__name__)
SIMILAR = 0.5  # cosine of TF-IDF vectors from which two articles tell one story
FOLDS = ["test"] * 2 + ["validation"] + ["train"] * 5


def story_groups(texts: list[str]) -> np.ndarray:
    """The number of its story for each text, shape (texts,)."""
    vectors = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True).fit_transform(texts)
    _, groups = connected_components(vectors @ vectors.T > SIMILAR, directed=False)
    return groups


def main(
    graded: Annotated[Path, typer.Option(help="TSV: id and a grade per theme.")],
    second: Annotated[Path, typer.Option(help="TSV: the second reading, dan_van only.")],
    corpus: Annotated[Path, typer.Option(help="Folder with the Parquet files of the texts.")],
    output: Annotated[Path, typer.Option(help="Label file to write.")] = DATA / "labels.tsv",
    seed: int = 20,
) -> None:
    """Split the graded articles into train, validation and test by story."""
    logging.basicConfig(level=logging.INFO)
    labels = pd.read_csv(graded, sep="\t", index_col="id")
    labels["dan_van_2"] = pd.read_csv(second, sep="\t", index_col="id")["dan_van"].astype("Int64")
    texts = read_texts(corpus, set(labels.index))
    groups = story_groups([texts[i].text for i in labels.index])
    main_topics = ["+".join(key for key in KEYS if row[key] == 2) for _, row in labels.iterrows()]
    folds = StratifiedGroupKFold(len(FOLDS), shuffle=True, random_state=seed)
    labels.insert(0, "split", "")
    for name, (_, rows) in zip(FOLDS, folds.split(main_topics, main_topics, groups), strict=True):
        labels.iloc[rows, 0] = name
    labels.to_csv(output, sep="\t")
    logger.info("%d stories\n%s", groups.max() + 1, labels["split"].value_counts())


if __name__ == "__main__":
    typer.run(main)
