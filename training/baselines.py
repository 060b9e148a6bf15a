"""What the classifier is measured against: words, and the encoder as it was pretrained."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.sparse import csr_matrix
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from transformers import AutoModel, AutoTokenizer

from model.windows import WINDOW, batches_by_length, pad_windows, pool_windows
from training.data import KEYS, THEMES, LabelledArticle, grade_matrix
from training.metrics import best_threshold
from training.train_classifier import soft_targets, to_dataset


@dataclass(frozen=True)
class Prediction:
    """Probabilities and decisions, each of shape (articles, 2 × themes): topics, then mentions."""

    probabilities: np.ndarray
    decisions: np.ndarray


def _theme_columns(matrix: np.ndarray) -> np.ndarray:
    themes, keys = len(THEMES), len(KEYS)
    return np.hstack([matrix[:, :themes], matrix[:, keys : keys + themes]])


def _decide(probabilities: np.ndarray, validation: list[LabelledArticle], count: int) -> Prediction:
    """Thresholds from the validation articles, which stand in front of the `count` others."""
    probabilities = _theme_columns(probabilities)
    head, tail = probabilities[:-count], probabilities[-count:]
    targets = _theme_columns(soft_targets(grade_matrix(validation))) > 0.5
    thresholds = [best_threshold(t, p) for t, p in zip(targets.T, head.T, strict=True)]
    return Prediction(tail, tail >= np.array(thresholds))


class WordModel:
    """TF-IDF of 1–2-grams of syllables over the whole text, a linear SVM per label, Platt scaling.

    Args:
        articles: what it learns from.
    """

    def __init__(self, articles: list[LabelledArticle]) -> None:
        self.vectorizer = TfidfVectorizer(
            ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"\w+", lowercase=True
        )
        inputs = self.vectorizer.fit_transform(a.article.text for a in articles)
        folds = StratifiedKFold(5, shuffle=True, random_state=0)
        self.labels = [
            CalibratedClassifierCV(LinearSVC(C=1.0), cv=folds, ensemble=False).fit(
                inputs, target > 0.5
            )
            for target in soft_targets(grade_matrix(articles)).T
        ]

    def probabilities(self, texts: Iterable[str]) -> np.ndarray:
        """Calibrated probabilities of `LABELS`, shape (texts, labels)."""
        return self.probabilities_of(self.vectorizer.transform(texts))

    def probabilities_of(self, vectors: csr_matrix) -> np.ndarray:
        """The same from vectors of `vectorizer`, shape (texts, terms)."""
        return np.stack([label.predict_proba(vectors)[:, 1] for label in self.labels], axis=1)


def tfidf_svm(
    train: list[LabelledArticle], validation: list[LabelledArticle], test: list[LabelledArticle]
) -> Prediction:
    """The word model, its thresholds chosen on the validation articles."""
    probabilities = WordModel(train).probabilities(a.article.text for a in [*validation, *test])
    return _decide(probabilities, validation, len(test))


@torch.inference_mode()
def mean_embeddings(encoder: str | Path, articles: list[LabelledArticle]) -> np.ndarray:
    """The mean of an encoder's token states over each article, shape (articles, hidden)."""
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    model = AutoModel.from_pretrained(encoder, add_pooling_layer=False).eval()
    rows = to_dataset(articles, tokenizer, WINDOW)["windows"]
    windows = [window for row in rows for window in row]
    means = torch.empty(len(windows), model.config.hidden_size)
    for batch in batches_by_length(windows):
        inputs = pad_windows([windows[i] for i in batch], tokenizer.pad_token_id)
        mask = inputs["attention_mask"][..., None]
        means[batch] = (model(**inputs).last_hidden_state * mask).sum(1) / mask.sum(1)
    owner = torch.tensor([i for i, row in enumerate(rows) for _ in row])
    weights = torch.tensor([len(window) for window in windows])
    mean = torch.zeros(means.shape[1], dtype=torch.bool)
    return pool_windows(means, weights, owner, mean).numpy()


def frozen_encoder(
    encoder: str | Path,
    train: list[LabelledArticle],
    validation: list[LabelledArticle],
    test: list[LabelledArticle],
) -> Prediction:
    """Logistic regressions on the standardised mean of the untouched encoder's token states."""
    features = mean_embeddings(encoder, [*train, *validation, *test])
    learnt, others = features[: len(train)], features[len(train) :]
    columns = [
        make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
        .fit(learnt, target > 0.5)
        .predict_proba(others)[:, 1]
        for target in soft_targets(grade_matrix(train)).T
    ]
    return _decide(np.stack(columns, axis=1), validation, len(test))
