"""A linear model over words, beside the transformer: it remembers, the other understands.

TF-IDF of n-grams and one linear function per label, as scikit-learn's `TfidfVectorizer(
analyzer=ngrams, sublinear_tf=True)` computes it (a test compares them), without needing
scikit-learn to analyse.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

WEIGHTS = "words.safetensors"
NGRAMS = "words.json"
OPENING = 100  # syllables, about a title and a lead
MARK = "^"  # in front of what stands in the opening; no syllable has it


def ngrams(text: str) -> list[str]:
    """Single syllables and pairs, and those of the opening once more, marked.

    What an article is about stands at its beginning; what it only touches, anywhere.
    """
    syllables = re.findall(r"\w+", text.lower())
    opening = syllables[:OPENING]
    marked = (MARK + ngram for ngram in (*opening, *map(" ".join, pairwise(opening))))
    return [*syllables, *map(" ".join, pairwise(syllables)), *marked]


class WordModel:
    """Logits of labels from the words of a text.

    Args:
        known: every n-gram known, as `ngrams` writes them.
        idf: inverse document frequencies, shape (n-grams,).
        weights: shape (n-grams, labels). bias: shape (labels,).
    """

    def __init__(
        self, known: Sequence[str], idf: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor
    ) -> None:
        self.index = {ngram: number for number, ngram in enumerate(known)}
        self.idf, self.weights, self.bias = idf.float(), weights.float(), bias.float()

    @classmethod
    def load(cls, folder: Path) -> WordModel | None:
        """The word model of a checkpoint; None if it has none."""
        if not (folder / WEIGHTS).exists():
            return None
        known = json.loads((folder / NGRAMS).read_text("utf-8"))
        tensors = load_file(folder / WEIGHTS)
        return cls(known, tensors["idf"], tensors["weights"], tensors["bias"])

    def save(self, folder: Path) -> None:
        """Write it beside a checkpoint's weights."""
        (folder / NGRAMS).write_text(json.dumps(list(self.index), ensure_ascii=False), "utf-8")
        tensors = {"idf": self.idf, "weights": self.weights.half().contiguous(), "bias": self.bias}
        save_file(tensors, folder / WEIGHTS)

    def logits(self, texts: Sequence[str]) -> torch.Tensor:
        """Logits of the texts, shape (texts, labels)."""
        return torch.stack([self._logits(text) for text in texts])

    def vector(self, text: str) -> tuple[torch.Tensor, torch.Tensor]:
        """The known n-grams of a text by number, and their weights, of norm 1; shapes (found,)."""
        counts: Counter[int] = Counter()
        for ngram in ngrams(text):
            if (number := self.index.get(ngram)) is not None:
                counts[number] += 1
        rows = torch.tensor(list(counts), dtype=torch.long)
        frequency = torch.tensor(list(counts.values()), dtype=torch.float32)
        return rows, self.weigh(rows, frequency)

    def weigh(self, rows: torch.Tensor, frequency: torch.Tensor) -> torch.Tensor:
        """TF-IDF, of norm 1, of n-grams that occur so often; all of shape (found,)."""
        values = (1 + frequency.log()) * self.idf[rows]
        return values / values.norm().clamp(min=1e-12)

    def _logits(self, text: str) -> torch.Tensor:
        rows, values = self.vector(text)
        return values @ self.weights[rows] + self.bias
