"""ROUGE (Lin 2004) on the two scales that Vietnamese summaries are reported on.

`published` is rouge_score with its default tokenizer, which drops every letter outside a–z: the
scale of the figures in the literature on VietNews. `syllable` counts whole syllables.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import numpy as np
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import DefaultTokenizer, Tokenizer

KINDS = ("rouge1", "rouge2", "rougeL")


class SyllableTokenizer(Tokenizer):
    """Lower-case syllables and numbers."""

    def tokenize(self, text: str) -> list[str]:
        """Tokens in order."""
        return syllables(text)


SCALES: dict[str, Tokenizer] = {
    "published": DefaultTokenizer(use_stemmer=False),
    "syllable": SyllableTokenizer(),
}


def syllables(text: str) -> list[str]:
    """Lower-case syllables and numbers of a text, in order."""
    return re.findall(r"\w+", text.lower())


def rouge_rows(pairs: Iterable[tuple[str, str]]) -> np.ndarray:
    """F1 in hundredths of each pair of reference and summary, shape (pairs, scales, kinds)."""
    scorers = [RougeScorer(list(KINDS), tokenizer=tokenizer) for tokenizer in SCALES.values()]
    rows = [
        [[scores[kind].fmeasure for kind in KINDS] for scores in (s.score(*pair) for s in scorers)]
        for pair in pairs
    ]
    return 100 * np.array(rows)


def name_rouge(means: np.ndarray) -> dict[str, dict[str, float]]:
    """Figures of shape (scales, kinds) by name."""
    return {
        scale: dict(zip(KINDS, row, strict=True))
        for scale, row in zip(SCALES, means.tolist(), strict=True)
    }


def ngrams(tokens: list[str], n: int) -> Counter[tuple[str, ...]]:
    """How often every n-gram occurs."""
    return Counter(zip(*(tokens[i:] for i in range(n)), strict=False))


def f1(reference: Counter, summary: Counter) -> float:
    """F1 of the overlap of two bags of n-grams."""
    overlap = (reference & summary).total()
    total = reference.total() + summary.total()
    return 2 * overlap / total if total else 0.0
