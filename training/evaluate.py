"""Measure a theme checkpoint and its baselines on held-out articles.

    python -m training.evaluate model/checkpoints/themes \\
        --corpus DIR --encoder runs/encoder

Held out are the test split of the graded public articles, and the check articles, which were
written by people who had not seen the training articles. Writes `metrics.json`, `confusion.png`
and the model card beside the weights.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated, Any

import matplotlib as mpl
import numpy as np
import typer

from model.classifier import MENTIONED, ThemeClassifier
from model.words import ngrams
from training.baselines import Prediction, frozen_encoder, tfidf_svm
from training.data import (
    DATA,
    SECOND_READING,
    THEMES,
    LabelledArticle,
    grade_matrix,
    load_graded,
    load_jsonl,
    read_labels,
)
from training.metrics import macro_f1, theme_metrics
from training.model_card import write_model_card
from training.word_svm import plain_ngrams

mpl.use("Agg")
logger = logging.getLogger(__name__)


def predict(
    classifier: ThemeClassifier, articles: list[LabelledArticle], early_exit: bool = False
) -> Prediction:
    """The checkpoint's probabilities and decisions."""
    rows = classifier.probabilities([item.article for item in articles], early_exit)
    labels = [*THEMES, *(key + MENTIONED for key in THEMES)]
    decided = [{t.theme: t for t in themes} for themes in map(classifier.decide, rows)]
    return Prediction(
        np.array([[row[label] for label in labels] for row in rows]),
        np.array(
            [[d[k].is_topic for k in THEMES] + [d[k].is_mentioned for k in THEMES] for d in decided]
        ),
    )


def measure(articles: list[LabelledArticle], prediction: Prediction) -> dict[str, Any]:
    """Metrics per theme, and macro-F1, of one set of articles."""
    grades = grade_matrix(articles, list(THEMES))
    n = len(THEMES)
    themes = {
        key: theme_metrics(
            grades[:, i],
            prediction.probabilities[:, i],
            prediction.probabilities[:, n + i],
            prediction.decisions[:, i],
            prediction.decisions[:, n + i],
        )
        for i, key in enumerate(THEMES)
    }
    # Themes claimed as a main topic that the article does not even touch.
    false_alarms = int((prediction.decisions[:, :n] & (grades == 0)).sum())
    return {
        "articles": len(articles),
        "false_alarms": false_alarms,
        "macro_f1": macro_f1(themes),
        "themes": themes,
    }


def second_reader(articles: list[LabelledArticle]) -> Prediction:
    """What a second person says of the same articles: as far as anyone can agree with the first."""
    grades = read_labels(SECOND_READING).loc[[a.id for a in articles], list(THEMES)]
    decisions = np.hstack([grades == 2, grades >= 1])
    return Prediction(decisions.astype(float), decisions)


def select(prediction: Prediction, rows: np.ndarray) -> Prediction:
    """The prediction of some of the articles."""
    return Prediction(prediction.probabilities[rows], prediction.decisions[rows])


def draw_confusion(articles: list[LabelledArticle], prediction: Prediction, path: Path) -> None:
    """A picture per theme: grades of the readers against what the checkpoint says."""
    import matplotlib.pyplot as plt

    grades = grade_matrix(articles, list(THEMES)).astype(int)
    n = len(THEMES)
    said = np.where(prediction.decisions[:, :n], 2, prediction.decisions[:, n:].astype(int))
    names = ["absent", "touched", "main"]
    figure, axes = plt.subplots(1, n, figsize=(3 * n, 3.2), layout="constrained")
    for i, (key, axis) in enumerate(zip(THEMES, axes, strict=True)):
        counts = np.zeros((3, 3), int)
        np.add.at(counts, (grades[:, i], said[:, i]), 1)
        shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (row, column), count in np.ndenumerate(counts):
            axis.text(column, row, count, ha="center", va="center")
        axis.set(title=key, xlabel="predicted", xticks=range(3), yticks=range(3))
        axis.set_xticklabels(names)
        axis.set_yticklabels(names if i == 0 else [])
    axes[0].set_ylabel("graded")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main(
    checkpoint: Annotated[Path, typer.Argument(help="Folder of the theme checkpoint.")],
    corpus: Annotated[Path, typer.Option(help="Folder with the Parquet files of the texts.")],
    encoder: Annotated[
        Path | None, typer.Option(help="The encoder before any fine-tuning, to be measured, too.")
    ] = None,
) -> None:
    """Measure a checkpoint beside TF-IDF + linear SVM and, if it is given, the frozen encoder."""
    logging.basicConfig(level=logging.INFO)
    graded = load_graded(corpus)
    train = [a for a in graded if a.split == "train"] + load_jsonl(DATA / "written", "train")
    validation = [a for a in graded if a.split == "validation"]
    test = [a for a in graded if a.split == "test"]
    check = load_jsonl(DATA / "check")
    articles = [*test, *check]
    kinds = np.array([a.split for a in articles])
    sets = {"test": kinds == "test", "check": kinds != "test"}
    sets |= {f"check: {kind}": kinds == kind for kind in dict.fromkeys(a.split for a in check)}
    classifier = ThemeClassifier(checkpoint)
    predictions = {
        "this model": predict(classifier, articles),
        "this model with early exit": predict(classifier, articles, early_exit=True),
        "TF-IDF + linear SVM": tfidf_svm(train, validation, articles, plain_ngrams),
        "this model's words alone": tfidf_svm(train, validation, articles, ngrams),
    }
    if encoder is not None:
        predictions["frozen encoder (first window) + logistic regression"] = frozen_encoder(
            encoder, train, validation, articles
        )
    metrics = {
        name: {
            system: measure([a for a, r in zip(articles, rows, strict=True) if r], select(p, rows))
            for system, p in predictions.items()
        }
        for name, rows in sets.items()
    }
    metrics["test"]["a second reader"] = measure(test, second_reader(test))
    (checkpoint / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    draw_confusion(
        test, select(predictions["this model"], sets["test"]), checkpoint / "confusion.png"
    )
    write_model_card(checkpoint)
    logger.info("wrote %s", checkpoint / "README.md")


if __name__ == "__main__":
    typer.run(main)
