"""How good a new theme becomes from a few examples: quick and full training, and words alone.

    python -m benchmarks.new_theme --articles DIR/vietnews/train.parquet --draws 3
    python -m benchmarks.new_theme --articles DIR/vietnews/train.parquet --draws 3 --no-others
    python -m benchmarks.new_theme --articles DIR/vietnews/train.parquet --full

Two themes that the shipped model has never been taught, graded by reading
(`training/data/new-themes.tsv`). A user labels so many articles about the theme and as many others,
or none;
`chude train` does what it does (and keeps a quarter of them to measure by). F1 is that of the main
topic, "touched" counting as absent, on the articles that nobody has labelled for it.
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import f1_score
from sklearn.svm import LinearSVC

from labels.store import ABSENT, MAIN, Labelled, LabelStore
from model.article import Article
from model.classifier import ThemeClassifier
from training.data import DATA, read_texts
from training.retrain.candidate import FULL, QUICK, train
from training.retrain.comparison import topics_of
from training.retrain.examples import Example, own_examples
from training.retrain.features import FeatureCache

logger = logging.getLogger(__name__)
SIZES = (10, 25, 50, 100)


class Theme:
    """A theme with its graded articles: 100 about it and half of the others may be labelled."""

    def __init__(self, key: str, grades: pd.Series, texts: dict[str, Article]) -> None:
        self.key, self.texts = key, texts
        generator = np.random.default_rng(0)
        self.about = generator.permutation(grades.index[grades == MAIN]).tolist()
        self.others = generator.permutation(grades.index[grades < MAIN]).tolist()
        half = len(self.others) // 2
        self.test = [*self.about[max(SIZES) :], *self.others[half:]]
        self.truth = np.array([grades[name] == MAIN for name in self.test])
        self.about, self.others = self.about[: max(SIZES)], self.others[:half]

    def draw(self, size: int, with_others: bool, seed: int) -> dict[str, bool]:
        """Articles to be labelled: `size` about the theme, and as many others, or none."""
        generator = np.random.default_rng(seed)
        about = generator.choice(self.about, size, replace=False)
        others = generator.choice(self.others, size if with_others else 0, replace=False)
        return dict.fromkeys(about.tolist(), True) | dict.fromkeys(others.tolist(), False)


def f1_of_words(theme: Theme, labelled: dict[str, bool]) -> float:
    """TF-IDF + linear SVM on the same articles, our own ones as further others."""
    own = [example.article.text for example in own_examples("written")]
    texts = [theme.texts[name].text for name in labelled] + own
    truth = np.array([*labelled.values(), *[False] * len(own)])
    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"\w+"
    )
    inputs = vectorizer.fit_transform(texts)
    svm = CalibratedClassifierCV(LinearSVC(C=1.0), cv=5, ensemble=False).fit(inputs, truth)
    test = svm.predict_proba(vectorizer.transform([theme.texts[n].text for n in theme.test]))[:, 1]
    return float(f1_score(theme.truth, test >= 0.5))


def f1_of_training(
    theme: Theme, labelled: dict[str, bool], mode: str, folder: Path
) -> tuple[float, float]:
    """What `chude train` makes of them; and how much the mean F1 of the shipped themes gains."""
    (folder / "labels.sqlite").unlink(missing_ok=True)
    store = LabelStore(folder)
    store.name_theme(theme.key, theme.key)
    store.add(
        (
            Labelled(name, theme.texts[name], {theme.key: MAIN if about else ABSENT})
            for name, about in labelled.items()
        ),
        "benchmark",
        "benchmark",
    )
    version = train(mode, folder=folder)
    classifier = ThemeClassifier(version.checkpoint)
    examples = [Example(name, name, theme.texts[name], {}) for name in theme.test]
    seen = FeatureCache(classifier, folder / "cache")(examples)
    measured = version.record["comparison"]["themes"]
    gains = [t["candidate"]["f1"] - t["current"]["f1"] for t in measured if not t["new"]]
    found = topics_of(classifier, examples, seen)[theme.key]
    return float(f1_score(theme.truth, found)), float(np.mean(gains))


def main(
    articles: Annotated[Path, typer.Option(help="Parquet file of the texts, or their folder.")],
    draws: Annotated[int, typer.Option(help="Draws of the labelled articles per size.")] = 1,
    full: Annotated[bool, typer.Option("--full", help="Full training, too (hours).")] = False,
    others: Annotated[bool, typer.Option(help="As many articles on other things labelled.")] = True,
    size: Annotated[list[int] | None, typer.Option(help="Numbers of examples.")] = None,
    only: Annotated[str | None, typer.Option(help="One theme of the table.")] = None,
) -> None:
    """Print mean F1 per theme, number of examples and way."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logger.setLevel(logging.INFO)
    table = pd.read_csv(DATA / "new-themes.tsv", sep="\t", index_col="id")
    folder = articles if articles.is_dir() else articles.parent
    texts = read_texts(folder, set(table.index))
    columns = ["quick", "shipped themes", *(["full", "shipped themes"] if full else [])]
    logger.info("\t".join(["theme", "examples", *columns, "TF-IDF + linear SVM"]))
    with tempfile.TemporaryDirectory() as home:
        for key in [only] if only else table.columns:
            theme = Theme(key, table[key], texts)
            for count in size or SIZES:
                scores = []
                for seed in range(draws):
                    labelled = theme.draw(count, others, seed)
                    modes = [QUICK, FULL] if full else [QUICK]
                    found = [f1_of_training(theme, labelled, m, Path(home)) for m in modes]
                    pairs = [figure for pair in found for figure in pair]
                    scores.append([*pairs, f1_of_words(theme, labelled)])
                means = "\t".join(f"{mean:.3f}" for mean in np.mean(scores, axis=0))
                logger.info("%s\t%d\t%s", key, count, means)


if __name__ == "__main__":
    typer.run(main)
