"""Figures of a classifier against grades: F1 three ways, average precision, calibration."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score

from model.classifier import MENTIONED

# The three ways to read grades: which count as the theme, and which are left out.
WAYS = {
    "topic": ({2}, {1}),  # 2 against 0, 1 left out
    "topic_strict": ({2}, set()),  # 2 against 0 and 1
    "touched": ({1, 2}, set()),  # 1 and 2 against 0
}


def best_threshold(targets: np.ndarray, probabilities: np.ndarray) -> float:
    """The threshold of highest F1, halfway drawn back to 0.5.

    Validation has a few dozen positives per theme, so the best point is mostly luck; calibrated
    probabilities make 0.5 the sane prior.
    """
    candidates = np.linspace(0.1, 0.9, 81)
    f1 = np.array([f1_score(targets, probabilities >= t, zero_division=0) for t in candidates])
    best = candidates[f1 >= f1.max() - 1e-9].mean()
    return round(float((best + 0.5) / 2), 3)


def topic_threshold(topics: np.ndarray, touched: np.ndarray, probabilities: np.ndarray) -> float:
    """`best_threshold` of a main topic, articles that only touch the theme left out.

    To claim a touched article is half a mistake, to miss a main topic a whole one: counted as
    negatives, the touched ones pushed the threshold so high that a fifth of the topics were missed.

    Args:
        topics: is it a main topic. touched: does the article say anything on it. probabilities: of
            a main topic. All of shape (articles,).
    """
    clear = topics | ~touched
    return best_threshold(topics[clear], probabilities[clear])


def choose_thresholds(
    labels: Sequence[str], targets: np.ndarray, probabilities: np.ndarray
) -> list[float]:
    """The threshold of each label.

    Args:
        labels: themes, and `<theme>:mentioned` where there is such a label.
        targets: probability of each, NaN where unknown, shape (articles, labels).
        probabilities: what a model says of them, of the same shape.
    """
    thresholds = []
    for label, target, column in zip(labels, targets.T, probabilities.T, strict=True):
        known = ~np.isnan(target)
        touched = target > 0.5
        if label + MENTIONED in labels:
            touched = targets[:, labels.index(label + MENTIONED)] > 0.5
        thresholds.append(topic_threshold(target[known] > 0.5, touched[known], column[known]))
    return thresholds


def expected_calibration_error(
    targets: np.ndarray, probabilities: np.ndarray, bins: int = 10
) -> float:
    """Mean gap between probability and frequency in equal bins (Guo et al. 2017)."""
    index = np.minimum((probabilities * bins).astype(int), bins - 1)
    gaps = [
        abs(targets[index == b].mean() - probabilities[index == b].mean()) * (index == b).mean()
        for b in range(bins)
        if (index == b).any()
    ]
    return float(sum(gaps))


def theme_metrics(
    grades: np.ndarray,
    topic: np.ndarray,
    mention: np.ndarray,
    is_topic: np.ndarray,
    is_mentioned: np.ndarray,
) -> dict[str, dict[str, float]]:
    """Metrics of one theme in each of the three ways; every argument has shape (articles,).

    Args:
        grades: 0, 1 or 2.
        topic, mention: probability that it is a main topic, that it is mentioned at all.
        is_topic, is_mentioned: the decisions.
    """
    result = {}
    for way, (positive, left_out) in WAYS.items():
        rows = ~np.isin(grades, list(left_out))
        targets = np.isin(grades[rows], list(positive))
        scores, decisions = (mention, is_mentioned) if way == "touched" else (topic, is_topic)
        scores, decisions = scores[rows], decisions[rows]
        result[way] = {
            "precision": precision_score(targets, decisions, zero_division=0),
            "recall": recall_score(targets, decisions, zero_division=0),
            "f1": f1_score(targets, decisions, zero_division=0),
            "average_precision": (
                average_precision_score(targets, scores) if targets.any() else float("nan")
            ),
            "ece": expected_calibration_error(targets, scores),
            "positives": int(targets.sum()),
        }
    return result


def macro_f1(metrics: dict[str, dict[str, dict[str, float]]]) -> dict[str, float]:
    """Mean F1 over themes for each way, and the mean of the three ways."""
    macro = {way: float(np.mean([theme[way]["f1"] for theme in metrics.values()])) for way in WAYS}
    macro["mean"] = float(np.mean(list(macro.values())))
    return macro
