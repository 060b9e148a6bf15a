"""What the classifier is measured against: words, and the encoder as it was pretrained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC
from transformers import AutoTokenizer

from model.windows import WINDOW
from training.data import KEYS, THEMES, LabelledArticle, grade_matrix
from training.metrics import best_threshold
from training.train_classifier import (
    MENTIONED,
    article_features,
    initial_model,
    probe,
    soft_targets,
    to_dataset,
)

LABELS = [*KEYS, *(key + MENTIONED for key in KEYS)]


@dataclass(frozen=True)
class Prediction:
    """Probabilities and decisions, each of shape (articles, 2 × themes): topics, then mentions."""

    probabilities: np.ndarray
    decisions: np.ndarray


def _theme_columns(matrix: np.ndarray) -> np.ndarray:
    themes, keys = len(THEMES), len(KEYS)
    return np.hstack([matrix[:, :themes], matrix[:, keys : keys + themes]])


def _decide(
    probabilities: np.ndarray, validation: list[LabelledArticle], count: int
) -> Prediction:
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
    encoder: str,
    train: list[LabelledArticle],
    validation: list[LabelledArticle],
    test: list[LabelledArticle],
) -> Prediction:
    """Logistic regression on the mean of the untouched encoder's token states."""
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    model = initial_model(encoder, tokenizer, train).eval()
    pad = tokenizer.pad_token_id

    def features(articles: list[LabelledArticle]) -> np.ndarray:
        dataset = to_dataset(articles, tokenizer, WINDOW)
        return article_features(model, dataset, pad, pooled=True).numpy()

    weights, biases = probe(features(train), soft_targets(grade_matrix(train)))
    logits = features([*validation, *test]) @ weights.T + biases
    return _decide(1 / (1 + np.exp(-logits)), validation, len(test))
