"""A candidate beside the version in use, on labels that neither has learnt from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from model.classifier import ThemeClassifier
from model.features import ArticleFeatures, head_logits, head_of
from model.numbers import decimal, percent
from training.retrain.examples import Example, targets

RESAMPLES = 1000
INTERVAL = (5, 95)  # percentiles: nine times in ten the truth lies between
TOLERANCE = 0.02  # of F1, in the mean over the themes that both versions know
USELESS = 0.5  # F1 of a new theme
MAX_ALARMS = 0.2  # share of articles on other things that a new theme may claim
MAX_DIFFERENCES = 200


@dataclass(frozen=True)
class ThemeMeasure:
    """F1 of a theme as a main topic, by one version.

    Attributes:
        f1, low, high: the score, and the interval that resampling the articles gives it.
        precision, recall: both 0 where nothing was found.
    """

    f1: float
    low: float
    high: float
    precision: float
    recall: float


@dataclass(frozen=True)
class ThemeComparison:
    """One theme in both versions.

    Attributes:
        theme, label: its key and its name.
        graded, positives: held-out articles graded for it, and those about it.
        new: does only the candidate know it?
        current, candidate: None where the version does not know the theme, or nothing is graded.
        worse: is the candidate surely worse, resampling being what tells?
        ungraded, alarms, current_alarms: our own check articles that are not graded for the
            theme, and how many of them the candidate and the version in use take to be about it.
    """

    theme: str
    label: str
    new: bool
    graded: int
    positives: int
    current: ThemeMeasure | None
    candidate: ThemeMeasure | None
    worse: bool
    ungraded: int
    alarms: int
    current_alarms: int


def topics_of(
    classifier: ThemeClassifier, examples: Sequence[Example], seen: Sequence[ArticleFeatures]
) -> dict[str, np.ndarray]:
    """Which examples are about each theme, by a classifier whose features are `seen`."""
    head = head_of(classifier.model)
    logits = head_logits(seen, head.weight, head.bias, classifier.mentioned)
    if classifier.words is not None:
        words = classifier.words.logits([e.article.text for e in examples])
        logits = (logits + words) / 2
    decisions = (logits >= classifier.threshold_logits).numpy()
    return {theme: decisions[:, classifier.labels.index(theme)] for theme in classifier.themes}


def f1_of(truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """F1 over the last axis; 0 where there is neither a find nor anything to find."""
    hits = (truth & found).sum(-1)
    return 2 * hits / np.maximum(truth.sum(-1) + found.sum(-1), 1)


def measure(truth: np.ndarray, found: np.ndarray, samples: np.ndarray) -> ThemeMeasure:
    """F1 with an interval; `samples` are indices of articles, shape (resamples, articles)."""
    hits = (truth & found).sum()
    scores = f1_of(truth[samples], found[samples])
    low, high = np.percentile(scores, INTERVAL)
    return ThemeMeasure(
        float(f1_of(truth, found)),
        float(low),
        float(high),
        float(hits / max(1, found.sum())),
        float(hits / max(1, truth.sum())),
    )


def compare_theme(
    theme: str,
    label: str,
    examples: Sequence[Example],
    current: np.ndarray | None,
    candidate: np.ndarray | None,
) -> ThemeComparison:
    """One theme; the decisions of the versions have shape (examples,)."""
    grades = targets(examples, theme)
    known = ~np.isnan(grades)
    truth = grades[known] > 0.5
    generator = np.random.default_rng(0)
    samples = generator.integers(0, max(1, len(truth)), (RESAMPLES, len(truth)))

    def measured(found: np.ndarray | None) -> ThemeMeasure | None:
        return measure(truth, found[known], samples) if found is not None and len(truth) else None

    worse = False
    if current is not None and candidate is not None and len(truth):
        change = f1_of(truth[samples], candidate[known][samples])
        change -= f1_of(truth[samples], current[known][samples])
        worse = bool(np.percentile(change, INTERVAL[1]) < 0)
    others = ~known & np.array([example.ours for example in examples], dtype=bool)
    alarms, current_alarms = (
        0 if found is None else int(found[others].sum()) for found in (candidate, current)
    )
    return ThemeComparison(
        theme,
        label,
        current is None,
        len(truth),
        int(truth.sum()),
        measured(current),
        measured(candidate),
        worse,
        int(others.sum()),
        alarms,
        current_alarms,
    )


def reasons_against(themes: Sequence[ThemeComparison]) -> list[str]:
    """Why the candidate should not take the place of the version in use, in the user's words."""
    reasons = []
    common = [
        (t.current.f1, t.candidate.f1) for t in themes if t.current and t.candidate and t.positives
    ]
    if common:
        before, after = np.mean(common, axis=0)
        if after < before - TOLERANCE:
            reasons.append(
                f"F1 trung bình của các chủ đề cũ giảm từ {decimal(before, 2)} "
                f"còn {decimal(after, 2)}."
            )
    for theme in themes:
        if theme.worse and theme.current and theme.candidate:
            reasons.append(
                f"'{theme.label}' kém hẳn: F1 từ {decimal(theme.current.f1, 2)} "
                f"còn {decimal(theme.candidate.f1, 2)}."
            )
        if theme.new and theme.positives and theme.candidate and theme.candidate.high < USELESS:
            reasons.append(
                f"Chủ đề mới '{theme.label}' chưa dùng được: F1 {decimal(theme.candidate.f1, 2)}."
            )
        if theme.alarms - theme.current_alarms > MAX_ALARMS * max(1, theme.ungraded):
            reasons.append(
                f"Chủ đề '{theme.label}' báo nhầm nhiều: nhận "
                f"{percent(theme.alarms / theme.ungraded)} số bài về việc khác."
            )
    return reasons


def compare(
    examples: Sequence[Example],
    names: Mapping[str, str],
    current: Mapping[str, np.ndarray],
    candidate: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    """Both versions on held-out examples, as it goes into a version's record.

    Args:
        examples: held out of training.
        names: of all themes of either version.
        current, candidate: by theme, which examples are about it (`topics_of`).

    Returns: `themes` (of `ThemeComparison`), `differences` (articles on which they differ, with
    the grades that are known) and `against` (`reasons_against`).
    """
    themes = [
        compare_theme(theme, label, examples, current.get(theme), candidate.get(theme))
        for theme, label in names.items()
    ]
    differences = []
    for index, example in enumerate(examples):
        before = [theme for theme, found in current.items() if found[index]]
        after = [theme for theme, found in candidate.items() if found[index]]
        if set(before) != set(after):
            topics = [theme for theme, grade in example.grades.items() if grade == 2]
            differences.append(
                {
                    "article": example.name,
                    "labels": topics,
                    "graded": sorted(example.grades),
                    "current": before,
                    "candidate": after,
                }
            )
    return {
        "themes": [asdict(theme) for theme in themes],
        "differences": differences[:MAX_DIFFERENCES],
        "against": reasons_against(themes),
    }
