"""What the head of a classifier sees of an article: the encoder's view of its windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from model.article import Article
from model.classifier import ThemeClassifier
from model.windows import article_windows, batches_by_length, pad_windows, pool_windows


@dataclass(frozen=True)
class ArticleFeatures:
    """What the head sees of one article.

    Attributes:
        windows: one row per window, shape (windows, hidden).
        lengths: tokens of each window, shape (windows,).
    """

    windows: torch.Tensor
    lengths: torch.Tensor

    @property
    def mean(self) -> torch.Tensor:
        """Over the tokens of the article, shape (hidden,)."""
        return (self.windows * self.lengths[:, None]).sum(0) / self.lengths.sum()


def head_of(model: PreTrainedModel) -> nn.Linear:
    """The last layer of a sequence classifier (RoBERTa keeps it inside a module)."""
    head: Any = model.classifier
    return head if isinstance(head, nn.Linear) else head.out_proj


@torch.inference_mode()
def head_logits(
    seen: Sequence[ArticleFeatures],
    weight: torch.Tensor,
    bias: torch.Tensor,
    mentioned: torch.Tensor,
) -> torch.Tensor:
    """Logits of articles under a head, shape (articles, labels).

    Args:
        weight, bias: of the head, shapes (labels, hidden) and (labels,).
        mentioned: for each label, whether it asks for a mention; bool, shape (labels,).
    """
    owner = torch.tensor([i for i, article in enumerate(seen) for _ in article.windows])
    lengths = torch.cat([article.lengths for article in seen])
    windows = torch.cat([article.windows for article in seen])
    return pool_windows(windows @ weight.T + bias, lengths, owner, mentioned)


@torch.inference_mode()
def article_features(
    classifier: ThemeClassifier, articles: Sequence[Article]
) -> list[ArticleFeatures]:
    """What the classifier's head sees of the articles, one by one in their order."""
    if not articles:
        return []
    windows: list[list[int]] = []
    counts = []
    for article in articles:
        own = article_windows(classifier.tokenizer, article, classifier.window)
        windows += own
        counts.append(len(own))
    seen: list[torch.Tensor] = []
    hook = head_of(classifier.model).register_forward_pre_hook(
        lambda head, inputs: seen.append(inputs[0])
    )
    order: list[int] = []
    try:
        for batch in batches_by_length(windows):
            own = [windows[index] for index in batch]
            classifier.model(**pad_windows(own, classifier.tokenizer.pad_token_id))
            order += batch
    finally:
        hook.remove()
    rows = torch.cat(seen)
    features = torch.empty_like(rows)
    features[order] = rows
    lengths = torch.tensor([len(window) for window in windows])
    pairs = zip(features.split(counts), lengths.split(counts), strict=True)
    return [ArticleFeatures(seen_by.clone(), length) for seen_by, length in pairs]
