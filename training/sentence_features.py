"""A baseline without an encoder: gradient boosting on plain features of a sentence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

from training.rouge import syllables
from training.summary_data import SummarizedArticle, reference_worth


def cosine(one: Counter, other: Counter) -> float:
    """Cosine of two bags of words."""
    dot = sum(count * other[word] for word, count in one.items())
    norm = sum(c * c for c in one.values()) * sum(c * c for c in other.values())
    return dot / norm**0.5 if norm else 0.0


def features(title: str, sentences: list[str]) -> np.ndarray:
    """Sixteen features of each sentence, shape (sentences, 16)."""
    bags = [Counter(syllables(sentence)) for sentence in sentences]
    whole = sum(bags, Counter())
    heading = Counter(syllables(title))
    rows = []
    for index, (sentence, bag) in enumerate(zip(sentences, bags, strict=True)):
        length = bag.total()
        rows.append(
            [
                index,
                index / len(sentences),
                len(sentences),
                length,
                len(bag) / max(1, length),
                cosine(bag, heading),
                sum(word in heading for word in bag) / max(1, len(bag)),
                sum(word in bag for word in heading) / max(1, len(heading)),
                cosine(bag, whole),
                cosine(bag, bags[0]),
                cosine(bag, bags[index - 1]) if index else 0.0,
                len(re.findall(r"\d+", sentence)),
                len(re.findall(r"[\"“”]", sentence)),
                float(sentence.rstrip('"”').endswith((".", "…"))),
                float(sentence.endswith("?")),
                len(re.findall(r"\b[A-ZÀ-ỸĐ]\w*", sentence)) / max(1, length),
            ]
        )
    return np.array(rows, dtype=np.float32)


class FeatureModel:
    """Gradient boosting on `features`."""

    def __init__(self, articles: Sequence[SummarizedArticle]) -> None:
        inputs, targets = [], []
        for article in articles:
            inputs.append(features(article.title, article.sentences))
            targets.append(reference_worth(article))
        self.model = HistGradientBoostingRegressor(max_iter=200, random_state=0)
        self.model.fit(np.vstack(inputs), np.concatenate(targets))

    def scores(self, title: str, sentences: list[str]) -> list[float]:
        """The score of each sentence."""
        return self.model.predict(features(title, sentences)).tolist()
