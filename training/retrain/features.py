"""What the encoder sees of articles, remembered on disk, since reading them takes the time."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from filelock import FileLock
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel

from model.classifier import ThemeClassifier
from model.features import ArticleFeatures, article_features
from model.files import complete_file
from training.retrain.examples import Example

logger = logging.getLogger(__name__)
CHUNK = 16  # articles between two signs of progress
ENCODERS = 3  # whose features are kept
SAVE_EVERY = 400  # articles; what a killed run loses at most


def encoder_digest(model: PreTrainedModel) -> str:
    """Of the weights below the head: two versions with the same encoder see the same."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.base_model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.half().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


class FeatureCache:
    """Features of articles by the encoder of a classifier.

    Args:
        folder: holds a file per encoder; only those used last are kept.
    """

    def __init__(self, classifier: ThemeClassifier, folder: Path) -> None:
        self.classifier = classifier
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{encoder_digest(classifier.model)}.safetensors"
        self.tensors: dict[str, torch.Tensor] = {}
        if self.path.exists():
            try:
                self.tensors = load_file(self.path)
            except SafetensorError:
                logger.warning("%s is damaged; its articles are read again", self.path)
            self.path.touch()
        files = [path for path in folder.glob("*.safetensors") if not path.name.startswith(".")]
        for old in sorted(files, key=lambda path: -path.stat().st_mtime)[ENCODERS:]:
            old.unlink(missing_ok=True)

    def __call__(
        self, examples: Sequence[Example], on_progress: Callable[[float], None] = lambda share: None
    ) -> list[ArticleFeatures]:
        """Features of the examples, in their order.

        Args:
            on_progress: called with the share of the unknown ones that is read.
        """
        unknown = {e.id: e for e in examples if f"{e.id}.windows" not in self.tensors}
        todo = list(unknown.values())
        for start in range(0, len(todo), CHUNK):
            chunk = todo[start : start + CHUNK]
            for example, found in zip(
                chunk, article_features(self.classifier, [e.article for e in chunk]), strict=True
            ):
                self.tensors[f"{example.id}.windows"] = found.windows.half()
                self.tensors[f"{example.id}.lengths"] = found.lengths
            done = start + len(chunk)
            on_progress(done / len(todo))
            if done // SAVE_EVERY > start // SAVE_EVERY or done == len(todo):
                self._save()
        return [
            ArticleFeatures(
                self.tensors[f"{e.id}.windows"].float(), self.tensors[f"{e.id}.lengths"]
            )
            for e in examples
        ]

    def _save(self) -> None:
        """Write what is known; a comparison may do so beside a training."""
        try:
            with FileLock(self.path.with_suffix(".lock")), complete_file(self.path) as path:
                save_file(self.tensors, path)
        except (OSError, SafetensorError) as error:
            logger.warning("the articles read are not remembered: %s", error)
