"""What an encoder sees of newspaper articles on anything: their mean, and how they differ.

A new theme is learnt from a few articles of it; this stands for everything else, without a single
article of a newspaper in the package. `training.describe_background` writes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

WEIGHTS = "background.safetensors"


@dataclass(frozen=True)
class Background:
    """A normal distribution over the features of articles (`ArticleFeatures.mean`).

    Attributes:
        mean: shape (hidden,).
        factor: shape (hidden, hidden); times its transpose it is the covariance.
    """

    mean: torch.Tensor
    factor: torch.Tensor

    @classmethod
    def of(cls, features: torch.Tensor) -> Background:
        """That of articles, shape (articles, hidden)."""
        values, vectors = torch.linalg.eigh(torch.cov(features.T.double()))
        factor = vectors * values.clamp(min=0).sqrt()
        return cls(features.mean(0), factor.to(features.dtype))

    @classmethod
    def load(cls, folder: Path) -> Background | None:
        """That of a checkpoint; None if it has none."""
        if not (folder / WEIGHTS).exists():
            return None
        tensors = load_file(folder / WEIGHTS)
        return cls(tensors["mean"].float(), tensors["factor"].float())

    def save(self, folder: Path) -> None:
        """Write it beside a checkpoint's weights."""
        tensors = {"mean": self.mean.half(), "factor": self.factor.half().contiguous()}
        save_file(tensors, folder / WEIGHTS)

    def sample(self, count: int, seed: int = 0) -> np.ndarray:
        """Features of `count` articles that might be, shape (count, hidden)."""
        generator = np.random.default_rng(seed)
        drawn = generator.standard_normal((count, len(self.mean)))
        return drawn @ self.factor.numpy().T.astype(float) + self.mean.numpy()
