"""A new head on the encoder as it is: new themes are fitted, known ones corrected.

A new theme gets a linear model over the encoder's features and one over words, like those of the
shipped themes. Articles that nobody has graded for it, our own and typical newspaper ones, stand
for everything else, with little weight; those that look like the theme after a first fit are left
out (positive and unlabelled learning in two steps: Liu et al. 2003, "Building Text Classifiers
Using Positive and Unlabeled Examples").

A known theme is moved from where it is only as far as its corrections ask for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix, vstack
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold

from model.background import Background
from model.classifier import MENTIONED, ThemeClassifier
from model.features import ArticleFeatures, head_logits, head_of
from model.words import WordModel
from training.metrics import best_threshold, topic_threshold
from training.retrain.examples import Example, Lesson, targets
from training.retrain.logistic import fit_difference
from training.retrain.state import StateFile
from training.retrain.word_vectors import typical_vectors, word_vectors

TYPICAL = 400  # articles made up to stand for the papers
UNGRADED = 0.3  # weight of an article that nobody has graded for the theme
FEATURE_PENALTY = 1.0
WORD_PENALTY = 0.1
CORRECTION_PENALTY = 100.0  # with 3, graded articles cost the themes more than they taught
FOLDS = 5
MIN_TOUCHED = 10  # examples of it that say where "touched" begins
EXIT_RESERVE = 1.5  # log-odds, more than the shipped themes have: a new one has few examples


@dataclass
class Head:
    """What is put on an encoder: a row per label over its features, another over words.

    Attributes:
        labels: themes, and `<theme>:mentioned`.
        weight, word_weight: shapes (labels, hidden), (labels, n-grams).
        bias, word_bias: shape (labels,).
        settings: `label`, `threshold` and `mention_threshold` by theme.
        early_exit: as `ThemeClassifier` reads it from the config; None: never.
    """

    labels: list[str] = field(default_factory=list)
    weight: list[torch.Tensor] = field(default_factory=list)
    bias: list[float] = field(default_factory=list)
    word_weight: list[torch.Tensor] = field(default_factory=list)
    word_bias: list[float] = field(default_factory=list)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    early_exit: float | None = None

    def add(self, label: str, weight: Any, bias: float, word_weight: Any, word_bias: float) -> None:
        """One more label."""
        self.labels.append(label)
        self.weight.append(torch.as_tensor(weight, dtype=torch.float32))
        self.bias.append(float(bias))
        self.word_weight.append(torch.as_tensor(word_weight, dtype=torch.float32))
        self.word_bias.append(float(word_bias))


@dataclass(frozen=True)
class Views:
    """The examples as the two linear models see them.

    Attributes:
        features: of the encoder, mean over an article, shape (examples, hidden).
        words: TF-IDF, shape (examples, n-grams).
        typical_features, typical_words: the same of typical newspaper articles.
    """

    features: np.ndarray
    words: csr_matrix
    typical_features: np.ndarray
    typical_words: csr_matrix


def look(
    classifier: ThemeClassifier,
    words: WordModel,
    examples: Sequence[Example],
    seen: Sequence[ArticleFeatures],
    background: Background | None,
) -> Views:
    """Examples, and typical articles if it is known what the encoder sees of those."""
    count = TYPICAL if background is not None else 0
    hidden = head_of(classifier.model).in_features
    return Views(
        np.stack([article.mean.numpy() for article in seen]).astype(float),
        word_vectors(words, [example.article.text for example in examples]),
        background.sample(count) if background is not None else np.empty((0, hidden)),
        typical_vectors(words, count),
    )


def linear_model(
    inputs: np.ndarray | csr_matrix, truth: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, float]:
    """Coefficients and intercept of a logistic regression, over features or (sparse) words."""
    model = (
        LogisticRegression(C=1 / FEATURE_PENALTY, max_iter=300)
        if isinstance(inputs, np.ndarray)
        else LogisticRegression(
            C=1 / WORD_PENALTY, solver="liblinear", dual=True, intercept_scaling=3, max_iter=1000
        )
    )
    model.fit(inputs, truth, sample_weight=weights)
    return model.coef_[0], float(model.intercept_[0])


def out_of_fold(views: list[Any], truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Logits of every row by models that have not seen it, shape (rows, views)."""
    logits = np.zeros((len(truth), len(views)))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for rest, fold in folds.split(logits, truth):
        for column, view in enumerate(views):
            coefficients, intercept = linear_model(view[rest], truth[rest], weights[rest])
            logits[fold, column] = view[fold] @ coefficients + intercept
    return logits


def platt(logits: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Scale and shift that make the sigmoid of the logits a probability (Platt 1999)."""
    model = LogisticRegression(C=1.0).fit(logits[:, None], truth, sample_weight=weights)
    # What cannot be ranked must not be turned upside down.
    return max(float(model.coef_[0, 0]), 0.1), float(model.intercept_[0])


@dataclass(frozen=True)
class NewTheme:
    """A theme that was fitted: rows of the head, and logits of rows that it had not seen.

    Attributes:
        weight, bias: over the encoder's features. word_weight, word_bias: over words.
        threshold, mention_threshold: of its probability.
        margin: how far below the threshold words alone lie where it was found, in log-odds.
        loss, f1: of the probabilities of rows that it had not seen.
    """

    weight: np.ndarray
    bias: float
    word_weight: np.ndarray
    word_bias: float
    threshold: float
    mention_threshold: float
    margin: float
    loss: float
    f1: float


def fit_new_theme(views: Views, truth: np.ndarray, touched: np.ndarray) -> NewTheme:
    """Fit a theme that the classifier does not know.

    Args:
        views: the examples.
        truth: is it a main topic? NaN where nobody has said; shape (examples,).
        touched: is it touched at least? The same.
    """
    typical = np.full(len(views.typical_features), np.nan)
    truth, touched = np.append(truth, typical), np.append(touched, typical)
    graded = ~np.isnan(truth)
    truth = np.where(graded, truth > 0.5, 0.0)
    both = [
        np.vstack([views.features, views.typical_features]),
        vstack([views.words, views.typical_words]).tocsr(),
    ]
    share = np.where(graded, 1.0, UNGRADED)
    topics = truth > 0.5
    # The rarer kind weighs more, but not as much as all of the other.
    balance = max(1.0, (share[~topics].sum() / share[topics].sum()) ** 0.5)
    weights = np.where(topics, balance, share)
    logits = out_of_fold(both, truth, weights)
    kept = graded | (logits.mean(1) <= 0)
    if not kept.all():
        both, truth, touched = [view[kept] for view in both], truth[kept], touched[kept]
        share, weights, topics = share[kept], weights[kept], topics[kept]
        logits = out_of_fold(both, truth, weights)
    scale, shift = platt(logits.mean(1), truth, share)
    probabilities = expit(logits.mean(1) * scale + shift)
    # Unknown counts as not touched: `touched` is NaN there.
    threshold = mention_threshold = topic_threshold(topics, touched > 0.5, probabilities)
    known = ~np.isnan(touched)
    if (known & (touched > 0.5) & ~topics).sum() >= MIN_TOUCHED:
        found = best_threshold(touched[known] > 0.5, probabilities[known])
        mention_threshold = min(threshold, found)
    limit = np.log(threshold / (1 - threshold))
    found_logits = logits[probabilities >= threshold, 1] * scale + shift
    clipped = probabilities.clip(1e-6, 1 - 1e-6)
    losses = -np.where(topics, np.log(clipped), np.log(1 - clipped))
    (weight, bias), (word_weight, word_bias) = (linear_model(view, truth, weights) for view in both)
    return NewTheme(
        weight * scale,
        bias * scale + shift,
        word_weight * scale,
        word_bias * scale + shift,
        threshold,
        mention_threshold,
        max(0.0, limit - float(found_logits.min(initial=limit))),
        float(np.average(losses, weights=share)),
        float(f1_score(topics, probabilities >= threshold, zero_division=0)),
    )


def correct_label(
    features: np.ndarray, logits: np.ndarray, truth: np.ndarray, ours: np.ndarray
) -> tuple[np.ndarray, float]:
    """How far a label's row of the head has to move for what has been corrected.

    Args:
        features: what decides, shape (examples, hidden).
        logits: the classifier's, shape (examples,).
        truth: shape (examples,), NaN where unknown. ours: articles that come with the program.
    """
    if not (~np.isnan(truth) & ~ours).any():
        return np.zeros(features.shape[1]), 0.0
    # Our own articles stay where they are. With their grades as targets, twenty graded newspaper
    # articles cost the themes a tenth of their F1: what was learnt was whose articles they are.
    truth = np.where(ours, expit(logits), truth)
    known = ~np.isnan(truth)
    weights = np.ones(int(known.sum()))
    return fit_difference(features[known], truth[known], weights, CORRECTION_PENALTY, logits[known])


def deciding_features(seen: Sequence[ArticleFeatures], row: torch.Tensor) -> np.ndarray:
    """Of each article the window that speaks most for a label, shape (articles, hidden)."""
    windows = [article.windows[(article.windows @ row).argmax()] for article in seen]
    return torch.stack(windows).numpy().astype(float)


def quick(
    classifier: ThemeClassifier,
    lesson: Lesson,
    seen: Sequence[ArticleFeatures],
    background: Background | None,
    state: StateFile,
) -> Head:
    """The head of a new version.

    Args:
        classifier: the one in use, with its word model.
        lesson: what is to be learnt.
        seen: features of `lesson.examples`.
        background: what the encoder sees of newspaper articles, if that is known.
        state: told how far it is.
    """
    words = classifier.words
    assert words is not None
    examples = lesson.examples
    state.begin("Chuẩn bị từ ngữ")
    views = look(classifier, words, examples, seen, background)
    layer = head_of(classifier.model)
    own = head_logits(seen, layer.weight, layer.bias, classifier.mentioned)
    word_logits = views.words @ words.weights.numpy() + words.bias.numpy()
    logits = (own.numpy() + word_logits) / 2
    ours = np.array([example.ours for example in examples])
    head = Head(early_exit=getattr(classifier.model.config, "early_exit", None))
    state.begin("Khớp các chủ đề")
    total = len(classifier.labels) + len(lesson.new)
    for index, label in enumerate(classifier.labels):
        theme = label.removesuffix(MENTIONED)
        if theme not in lesson.themes:
            continue
        row = layer.weight[index].detach()
        mentions = label.endswith(MENTIONED)
        features = deciding_features(seen, row) if mentions else views.features
        move, shift = correct_label(features, logits[:, index], targets(examples, label), ours)
        # An article's logit is the mean of the encoder's and the words'.
        head.add(
            label,
            row.numpy() + 2 * move,
            layer.bias[index].item() + 2 * shift,
            words.weights[:, index],
            words.bias[index].item(),
        )
        head.settings[theme] = dict(classifier.settings[theme])
        state.advance((index + 1) / total)
    margins = []
    for number, theme in enumerate(lesson.new, 1):
        fitted = fit_new_theme(
            views, targets(examples, theme), targets(examples, theme + MENTIONED)
        )
        head.add(theme, fitted.weight, fitted.bias, fitted.word_weight, fitted.word_bias)
        head.settings[theme] = {
            "threshold": fitted.threshold,
            "mention_threshold": fitted.mention_threshold,
        }
        margins.append(fitted.margin)
        state.point(number, loss=round(fitted.loss, 4), f1=round(fitted.f1, 4))
        state.advance((len(classifier.labels) + number) / total)
    for theme, name in lesson.themes.items():
        head.settings[theme]["label"] = name
    if head.early_exit is not None and margins:
        head.early_exit = round(max(head.early_exit, max(margins) + EXIT_RESERVE), 2)
    return head
