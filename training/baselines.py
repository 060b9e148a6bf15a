"""What the classifier is measured against: words, and the encoder as it was pretrained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from model.classifier import ThemeClassifier
from training.data import KEYS, THEMES, LabelledArticle, grade_matrix
from training.metrics import best_threshold
from training.train_classifier import soft_targets


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


def tfidf_svm(
    train: list[LabelledArticle], validation: list[LabelledArticle], test: list[LabelledArticle]
) -> Prediction:
    """TF-IDF of 1–2-grams of syllables over the whole text, linear SVM, Platt scaling."""
    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"\w+", lowercase=True
    )
    inputs = vectorizer.fit_transform(a.article.text for a in train)
    others = vectorizer.transform(a.article.text for a in [*validation, *test])
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    columns = [
        CalibratedClassifierCV(LinearSVC(C=1.0), cv=folds, ensemble=False)
        .fit(inputs, target > 0.5)
        .predict_proba(others)[:, 1]
        for target in soft_targets(grade_matrix(train)).T
    ]
    return _decide(np.stack(columns, axis=1), validation, len(test))


def frozen_encoder(
    probe: str | Path, validation: list[LabelledArticle], test: list[LabelledArticle]
) -> Prediction:
    """Logistic regression on the mean of the untouched encoder's token states.

    Args:
        probe: the checkpoint that fine-tuning started from, which is just that.
    """
    classifier = ThemeClassifier(probe)
    classifier.mentioned[:] = False  # it was fitted on means alone
    logits = classifier.logits([a.article for a in [*validation, *test]])
    return _decide(torch.sigmoid(logits).numpy(), validation, len(test))
