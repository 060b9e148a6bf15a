"""Cut an article of any length into windows that an encoder can read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase

from model.article import Article

WINDOW = 256  # tokens, the special ones included: attention over 256 is cheaper than over 512
BATCH_TOKENS = 4_096
LIKE_LENGTH = 0.7  # of a batch's longest window; what is shorter goes into the next batch
TITLE = 32  # tokens of the title repeated in front of every later window, as its context


def token_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Ids of a text of any length, without special tokens.

    PhoBERT's vocabulary is of words, their syllables joined by `_`: its texts are segmented
    first, for which the extra `phobert` is needed.
    """
    if type(tokenizer).__name__.startswith("Phobert"):
        from underthesea import word_tokenize

        text = word_tokenize(text, format="text")
    # A "</s>" in a text is four characters, not the end of it.
    return tokenizer.encode(
        text, add_special_tokens=False, split_special_tokens=True, verbose=False
    )


def article_windows(
    tokenizer: PreTrainedTokenizerBase, article: Article, size: int = WINDOW
) -> list[list[int]]:
    """Token ids of every window of the article, each at most `size` long, in order.

    Every token of the article is in exactly one window, and the windows are of about equal
    length, so that none is a mere scrap; from the second one on, the first tokens of the title
    stand in front.
    """
    title = token_ids(tokenizer, article.title)[:TITLE]
    tokens = token_ids(tokenizer, article.text)
    begin, *end = tokenizer.encode("")  # the encoder's own special tokens
    room = size - 1 - len(end)
    count = max(1, math.ceil((len(tokens) - len(title)) / (room - len(title))))
    step = max(1, math.ceil((len(tokens) - len(title)) / count))
    first = len(title) + step
    chunks = [tokens[:first]]
    for start in range(first, len(tokens), step):
        chunks.append(title + tokens[start : start + step])
    return [[begin, *chunk, *end] for chunk in chunks]


def pad_windows(windows: list[list[int]], pad_token_id: int) -> dict[str, Any]:
    """`input_ids` and `attention_mask`, int64 tensors of shape (windows, longest)."""
    longest = max(map(len, windows))
    ids = [w + [pad_token_id] * (longest - len(w)) for w in windows]
    mask = [[1] * len(w) + [0] * (longest - len(w)) for w in windows]
    return {"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(mask)}


def batches_by_length(windows: list[list[int]]) -> Iterator[list[int]]:
    """Indices of windows of like length, so that little of a batch is padding."""
    batch: list[int] = []
    for index in sorted(range(len(windows)), key=lambda i: -len(windows[i])):
        if batch:
            longest = len(windows[batch[0]])
            full = (len(batch) + 1) * longest > BATCH_TOKENS
            if full or len(windows[index]) < LIKE_LENGTH * longest:
                yield batch
                batch = []
        batch.append(index)
    if batch:
        yield batch


def pool_windows(
    logits: torch.Tensor, weights: torch.Tensor, owner: torch.Tensor, mentioned: torch.Tensor
) -> torch.Tensor:
    """Logits of articles from those of their windows.

    What an article is about is the mean over its windows; whether a theme is mentioned at all
    is decided by the window that speaks of it most.

    Args:
        logits: shape (windows, labels).
        weights: tokens of each window, shape (windows,).
        owner: index of each window's article, from 0, shape (windows,).
        mentioned: for each label, whether it asks for a mention; bool, shape (labels,).

    Returns:
        Shape (articles, labels).
    """
    articles = int(owner.max()) + 1
    weights = weights.to(logits.dtype)[:, None]
    total = logits.new_zeros(articles, 1).index_add(0, owner, weights)
    mean = logits.new_zeros(articles, logits.shape[1]).index_add(0, owner, logits * weights) / total
    index = owner[:, None].expand_as(logits)
    highest = torch.full_like(mean, -torch.inf).scatter_reduce(0, index, logits, "amax")
    return torch.where(mentioned, highest, mean)
