"""What the classifier is measured against: words, and the encoder as it was pretrained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from transformers import AutoModel, AutoTokenizer

from model.windows import WINDOW, article_windows, batches_by_length, pad_windows
from training.data import KEYS, SHIPPED, THEMES, LabelledArticle, grade_matrix, soft_targets
from training.metrics import choose_thresholds
from training.word_svm import WordSvm


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
    targets = _theme_columns(soft_targets(grade_matrix(validation)))
    thresholds = choose_thresholds(SHIPPED, targets, head)
    return Prediction(tail, tail >= np.array(thresholds))


def tfidf_svm(
    train: list[LabelledArticle],
    validation: list[LabelledArticle],
    test: list[LabelledArticle],
    analyzer: Callable[[str], list[str]],
) -> Prediction:
    """`WordSvm` over what `analyzer` makes of a text, thresholds chosen on validation articles."""
    texts = [item.article.text for item in (*validation, *test)]
    probabilities = WordSvm.of_graded(train, analyzer).probabilities(texts)
    return _decide(probabilities, validation, len(test))


@torch.inference_mode()
def mean_embeddings(encoder: str | Path, articles: list[LabelledArticle]) -> np.ndarray:
    """The mean of an encoder's token states over each article's first window.

    Returns:
        Shape (articles, hidden).
    """
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    model = AutoModel.from_pretrained(encoder, add_pooling_layer=False).eval()
    windows = [article_windows(tokenizer, item.article, WINDOW)[0] for item in articles]
    means = torch.empty(len(windows), model.config.hidden_size)
    for batch in batches_by_length(windows):
        inputs = pad_windows([windows[i] for i in batch], tokenizer.pad_token_id)
        mask = inputs["attention_mask"][..., None]
        means[batch] = (model(**inputs).last_hidden_state * mask).sum(1) / mask.sum(1)
    return means.numpy()


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
