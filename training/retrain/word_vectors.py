"""TF-IDF vectors over the n-grams that the word model knows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.sparse import csr_matrix

from model.words import WordModel

MAX_RATE = 20.0  # occurrences of the commonest n-grams in an article


def word_vectors(words: WordModel, texts: Sequence[str]) -> csr_matrix:
    """Of texts, shape (texts, n-grams)."""
    return stack(words, [words.vector(text) for text in texts])


def typical_vectors(words: WordModel, count: int, seed: int = 0) -> csr_matrix:
    """Of newspaper articles on anything, shape (count, n-grams), made up from document frequencies.

    The word model's IDF remembers in which share of the articles that it was made from an n-gram
    occurs. Drawn independently by these shares, the n-grams make no sense together (a pair without
    its syllables, a marked word that stands nowhere else), but each is as common as in the papers:
    what a theme's words have to stand out from.
    """
    generator = np.random.default_rng(seed)
    share = np.exp(1 - words.idf.numpy().astype(float)).clip(0, 1 - 1e-9)
    rate = np.minimum(-np.log1p(-share), MAX_RATE)
    vectors = []
    for _ in range(count):
        frequency = generator.poisson(rate)
        found = frequency.nonzero()[0]
        rows = torch.from_numpy(found)
        vectors.append((rows, words.weigh(rows, torch.from_numpy(frequency[found]).float())))
    return stack(words, vectors)


def stack(words: WordModel, vectors: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> csr_matrix:
    """Sparse vectors, (rows, values) each, under one another."""
    ends = np.cumsum([0, *(len(rows) for rows, _ in vectors)])
    columns = np.concatenate([np.empty(0, int), *(rows.numpy() for rows, _ in vectors)])
    values = np.concatenate([np.empty(0), *(v.numpy().astype(float) for _, v in vectors)])
    return csr_matrix((values, columns, ends), shape=(len(vectors), len(words.idf)))
