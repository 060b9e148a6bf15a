"""The head of a classifier, its labels and the layer that gives a logit to each; and its file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from model.features import head_of


def set_head(
    model: PreTrainedModel, labels: Sequence[str], weight: torch.Tensor, bias: torch.Tensor
) -> None:
    """Give the model other labels.

    Args:
        labels: their names.
        weight: shape (labels, hidden). bias: shape (labels,).
    """
    head = head_of(model)
    head.weight, head.bias = nn.Parameter(weight), nn.Parameter(bias)
    head.out_features = len(labels)
    config: Any = model.config
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: index for index, label in enumerate(labels)}
    model.num_labels = len(labels)  # type: ignore[assignment]


def save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, output: Path) -> None:
    """Write the checkpoint in half precision."""
    model.half().save_pretrained(output)
    model.float()
    tokenizer.save_pretrained(output)
