"""Train a candidate, measure it beside the version in use, and put it among the versions."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from labels.store import LabelStore
from model.background import Background
from model.classifier import ThemeClassifier
from model.errors import InputError
from model.files import write_json
from model.home import home
from model.registry import RECORD, ModelRegistry, Version
from model.words import WordModel
from training.heads import save, set_head
from training.retrain.card import write_card
from training.retrain.comparison import compare, topics_of
from training.retrain.examples import Example, read_held_out, read_lesson
from training.retrain.features import FeatureCache
from training.retrain.quick import Head, quick
from training.retrain.state import DONE, StateFile, training_folder, training_run

logger = logging.getLogger(__name__)
QUICK, FULL = "quick", "full"


def train(
    mode: str = QUICK,
    unlabelled: Sequence[Example] = (),
    settings: dict[str, Any] | None = None,
    folder: Path | None = None,
) -> Version:
    """Train a new version from the labels in the store; it is not in use until it is promoted.

    Args:
        mode: QUICK, a new head on the encoder as it is; FULL, the encoder is trained as well.
        unlabelled: articles that nobody has graded, to know other things by.
        settings: of `training.retrain.full.fine_tune`.
        folder: of labels and versions, by default the user's own.

    Raises InputError if there is too little to learn from, if another training runs, or if the
    disk is full. The version in use stays what it is, whatever happens.
    """
    folder = folder or home()
    with training_run(mode, folder) as state:
        try:
            return make_candidate(mode, unlabelled, folder, state, settings or {})
        except (OSError, SafetensorError) as error:
            raise InputError(
                f"Không ghi được vào '{folder}': {error}. Mô hình đang dùng còn nguyên."
            ) from error


def make_candidate(
    mode: str,
    unlabelled: Sequence[Example],
    folder: Path,
    state: StateFile,
    settings: dict[str, Any],
) -> Version:
    """The work of `train`."""
    start = time.monotonic()
    state.begin("Nạp mô hình")
    registry = ModelRegistry(folder)
    current = registry.current()
    lesson = read_lesson(LabelStore(folder), current.themes).with_unlabelled(unlabelled)
    classifier = ThemeClassifier(current.checkpoint)
    if classifier.words is None:
        raise InputError(f"Mô hình '{current.name}' không có phần từ ngữ, không học tiếp được.")
    cache = FeatureCache(classifier, folder / "cache")
    state.begin("Đọc các bài")
    seen = cache([*lesson.examples, *lesson.held_out], state.advance)
    learned, held_out = seen[: len(lesson.examples)], seen[len(lesson.examples) :]
    before = topics_of(classifier, lesson.held_out, held_out)
    background = Background.load(current.checkpoint)
    head = quick(classifier, lesson, learned, background, state)
    if mode == FULL:
        from training.retrain.full import fine_tune

        work = training_folder(folder) / "full"
        head, background = fine_tune(
            classifier, head, lesson, learned, background, work, state, **settings
        )
    name = f"{datetime.now():%Y%m%d-%H%M%S}-{mode}"
    making = registry.folder / f".{name}"
    registry.folder.mkdir(parents=True, exist_ok=True)
    for left in registry.folder.glob(f".[0-9]*-{QUICK}"), registry.folder.glob(f".[0-9]*-{FULL}"):
        for path in left:  # of a killed training: only one runs at a time
            shutil.rmtree(path)
    try:
        state.begin("Ghi mô hình")
        write_checkpoint(classifier, head, background, making)
        candidate = ThemeClassifier(making)
        state.begin("So sánh với mô hình đang dùng")
        if mode == FULL:
            held_out = FeatureCache(candidate, folder / "cache")(lesson.held_out, state.advance)
        after = topics_of(candidate, lesson.held_out, held_out)
        names = {**current.themes, **lesson.themes}
        record = {
            "created": datetime.now().astimezone().isoformat(timespec="seconds"),
            "mode": mode,
            "parent": current.name,
            "fingerprint": lesson.fingerprint,
            "settings": settings,
            "examples": len(lesson.learned),
            "seconds": round(time.monotonic() - start, 1),
            "curve": state.state.curve,
            "comparison": compare(lesson.held_out, names, before, after),
        }
        write_json(making / RECORD, record)
        write_card(making)
        version = registry.add(making, name)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    state.end(DONE, version=name, share=1.0)
    return version


def write_checkpoint(
    classifier: ThemeClassifier, head: Head, background: Background | None, folder: Path
) -> None:
    """A folder as `AutoModelForSequenceClassification` loads it, the word model beside it.

    The head of `classifier` is the new one afterwards.
    """
    words = classifier.words
    assert words is not None
    model = classifier.model
    set_head(model, head.labels, torch.stack(head.weight), torch.tensor(head.bias))
    model.config.themes = head.settings
    model.config.early_exit = head.early_exit
    folder.mkdir()
    save(model, classifier.tokenizer, folder)
    WordModel(
        list(words.index), words.idf, torch.stack(head.word_weight, 1), torch.tensor(head.word_bias)
    ).save(folder)
    if background is not None:
        background.save(folder)


def compare_again(name: str, folder: Path | None = None) -> dict[str, Any]:
    """The comparison of a version with the one in use, by the labels of today.

    Raises InputError if there is no such version, or if it is the one in use.
    """
    folder = folder or home()
    registry = ModelRegistry(folder)
    version, current = registry.find(name), registry.current()
    if version.name == current.name:
        raise InputError(f"'{version.name}' chính là mô hình đang dùng.")
    held_out = read_held_out(LabelStore(folder).articles())
    found = []
    for one in (current, version):
        try:
            classifier = ThemeClassifier(one.checkpoint)
        except (OSError, ValueError, SafetensorError) as error:
            raise InputError(f"Mô hình '{one.name}' bị hỏng, không đọc được.") from error
        seen = FeatureCache(classifier, folder / "cache")(held_out)
        found.append(topics_of(classifier, held_out, seen))
    return compare(held_out, {**current.themes, **version.themes}, *found)
