"""Fine-tune the encoder as well, without forgetting what it knows.

It starts from the quick head (LP-FT: Kumar et al. 2022). Where nobody has graded an article for a
theme that the version in use knows, that version's own probability is the target (Learning without
Forgetting: Li & Hoiem 2016), so that twenty articles of a new theme do not cost the others.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from scipy.special import expit
from sklearn.metrics import f1_score
from transformers import (
    BertForSequenceClassification,
    EarlyStoppingCallback,
    EvalPrediction,
    TrainerCallback,
    set_seed,
)

from model.background import Background
from model.classifier import MENTIONED, ThemeClassifier
from model.features import ArticleFeatures, article_features, head_logits, head_of
from training.heads import set_head
from training.resume import can_resume
from training.retrain.examples import Lesson, targets
from training.retrain.features import encoder_digest
from training.retrain.logistic import fit_difference
from training.retrain.quick import UNGRADED, Head
from training.retrain.state import StateFile
from training.train_classifier import (
    ArticleCollator,
    ArticleTrainer,
    encode_frozen,
    freeze,
    to_dataset,
    training_arguments,
)

FROZEN_LAYERS = 8
BATCH = 16
STEP_ARTICLES = 4  # that go through the encoder at once
DISTILLED = 0.5  # weight of the version in use as a teacher, beside 1 for a person
VALIDATION = 5  # every fifth article tells when to stop
PATIENCE = 2  # epochs without getting better
MAX_STATES = 2_000  # articles whose states fit into memory
CALIBRATION_PENALTY = 1.0
CHUNK = 32


def pooled_logits(head: Head, seen: Sequence[ArticleFeatures]) -> np.ndarray:
    """The encoder's logits of articles under a head, shape (articles, labels)."""
    mentioned = torch.tensor([label.endswith(MENTIONED) for label in head.labels])
    return head_logits(seen, torch.stack(head.weight), torch.tensor(head.bias), mentioned).numpy()


def training_targets(
    lesson: Lesson, labels: Sequence[str], logits: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What each example is to say, and how much that counts; both (examples, labels).

    Args:
        logits: of the quick head, shape (examples, labels).
    """
    truth = np.stack([targets(lesson.examples, label) for label in labels], axis=1)
    new = np.array([label.removesuffix(MENTIONED) in lesson.new for label in labels])
    # Our own articles are there to keep what is known as it is, not to teach it once more.
    ours = np.array([example.ours for example in lesson.examples])
    truth[ours[:, None] & ~new] = np.nan
    unknown = np.isnan(truth)
    guesses = expit(logits)
    # Of a new theme nothing is known where nobody has looked; most articles are about other things.
    wanted = np.where(unknown, np.where(new, 0.0, guesses), truth)
    weights = np.where(unknown, np.where(new, UNGRADED * (guesses < 0.5), DISTILLED), 1.0)
    return wanted.astype(np.float32), weights.astype(np.float32)


def validation_f1(prediction: EvalPrediction) -> dict[str, float]:
    """Mean F1 over the labels that people have given to validation articles."""
    truth, weights = cast("tuple[np.ndarray, np.ndarray]", prediction.label_ids)
    scores = []
    for wanted, weight, logits in zip(
        truth.T, weights.T, cast("np.ndarray", prediction.predictions).T, strict=True
    ):
        graded = weight == 1
        if (wanted[graded] > 0.5).any():
            scores.append(f1_score(wanted[graded] > 0.5, logits[graded] > 0, zero_division=0))
    return {"f1": float(np.mean(scores)) if scores else 0.0}


class TellState(TrainerCallback):
    """Tells how far the training is, and its curve."""

    def __init__(self, state: StateFile) -> None:
        self.file = state

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """After every step."""
        self.file.advance(state.global_step / state.max_steps)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Training loss every few steps; loss and F1 on validation articles every epoch."""
        if "loss" in logs:
            self.file.point(state.global_step, loss=round(float(logs["loss"]), 4))
        if "eval_f1" in logs:
            self.file.point(
                state.global_step,
                validation_loss=round(float(logs["eval_loss"]), 4),
                f1=round(float(logs["eval_f1"]), 4),
            )


def fine_tune(
    classifier: ThemeClassifier,
    head: Head,
    lesson: Lesson,
    seen: Sequence[ArticleFeatures],
    background: Background | None,
    work: Path,
    state: StateFile,
    epochs: int = 4,
    learning_rate: float = 5e-5,
) -> tuple[Head, Background | None]:
    """Train the encoder of `classifier`, from its quick head on; goes on where it was killed.

    Args:
        seen: features of `lesson.examples` before.
        work: folder of the checkpoints, removed at the end.

    Returns: the head for the new encoder, and what that sees of newspaper articles.
    """
    set_seed(1)
    labels, model = head.labels, classifier.model
    weight, bias = torch.stack(head.weight), torch.tensor(head.bias)
    settings = [lesson.fingerprint, encoder_digest(model), epochs, learning_rate]
    teacher = head_of(model).weight.detach().numpy().tobytes()
    settings += [sha256(teacher).hexdigest(), [e.id for e in lesson.examples]]
    run = sha256(repr(settings).encode()).hexdigest()
    wanted, weights = training_targets(lesson, labels, pooled_logits(head, seen))
    set_head(model, labels, weight, bias)
    freeze(model, FROZEN_LAYERS)
    articles = [example.article for example in lesson.examples]
    dataset = to_dataset(articles, wanted, classifier.tokenizer, classifier.window, weights)
    pad = classifier.tokenizer.pad_token_id
    states = None
    if isinstance(model, BertForSequenceClassification) and len(articles) <= MAX_STATES:
        state.begin("Đọc các bài bằng các lớp giữ nguyên")
        states = []
        for start in range(0, len(dataset), CHUNK):
            part = dataset.select(range(start, min(start + CHUNK, len(dataset))))
            states += encode_frozen(model.bert, part, pad, FROZEN_LAYERS)
            state.advance(len(states) / len(dataset))
    kept = np.array([int(e.id[:8], 16) % VALIDATION == 0 for e in lesson.examples])
    resume = prepare(work, run)
    state.restart_curve()
    state.begin("Tinh chỉnh")
    trainer = ArticleTrainer(
        model=model,
        args=training_arguments(
            work,
            num_train_epochs=epochs,
            learning_rate=learning_rate,
            per_device_train_batch_size=STEP_ARTICLES,
            per_device_eval_batch_size=STEP_ARTICLES,
            gradient_accumulation_steps=BATCH // STEP_ARTICLES,
            train_sampling_strategy="group_by_length",
            eval_strategy="epoch",
            save_strategy="epoch",
            load_best_model_at_end=True,
            metric_for_best_model="eval_loss",
            label_names=["labels", "weights"],
            seed=1,
        ),
        train_dataset=dataset.select(np.flatnonzero(~kept)),
        eval_dataset=dataset.select(np.flatnonzero(kept)),
        data_collator=ArticleCollator(pad, states),
        compute_metrics=validation_f1,
        callbacks=[TellState(state), EarlyStoppingCallback(PATIENCE)],
        frozen_layers=FROZEN_LAYERS,
    )
    trainer.train(resume_from_checkpoint=resume)
    model.cpu().eval()
    state.begin("Chỉnh xác suất")
    after: list[ArticleFeatures] = []
    for start in range(0, len(articles), CHUNK):
        after += article_features(classifier, articles[start : start + CHUNK])
        state.advance(len(after) / len(articles))
    layer = head_of(model)
    head = replace(
        head, weight=list(layer.weight.detach().clone()), bias=layer.bias.detach().tolist()
    )
    held = np.flatnonzero(kept).tolist()
    calibrate_new(classifier, head, lesson, held, [after[i] for i in held], wanted, weights)
    shutil.rmtree(work)
    return head, moved(background, seen, after)


def prepare(work: Path, run: str) -> bool:
    """Is there a checkpoint of this very run to go on from? Those of others are removed."""
    try:
        return can_resume(work, run)
    except ValueError:
        shutil.rmtree(work)
        return can_resume(work, run)


def calibrate_new(
    classifier: ThemeClassifier,
    head: Head,
    lesson: Lesson,
    held: Sequence[int],
    seen: Sequence[ArticleFeatures],
    wanted: np.ndarray,
    weights: np.ndarray,
) -> None:
    """Make the logits of new themes probabilities again, on validation articles.

    Trained on, the examples are surer of themselves than others will be. As there are few of the
    others, scale and shift are drawn to what they are.

    Args:
        held: indices of the validation articles in `lesson.examples`. seen: their features.
        wanted, weights: of all examples, shape (examples, labels).
    """
    words = classifier.words
    assert words is not None
    logits = pooled_logits(head, seen)
    vectors = [words.vector(lesson.examples[index].article.text) for index in held]
    for column, label in enumerate(head.labels):
        if label not in lesson.new:
            continue
        spoken = np.array([float(v @ head.word_weight[column][rows]) for rows, v in vectors])
        both = (logits[:, column] + spoken + head.word_bias[column]) / 2
        [change], shift = fit_difference(
            both[:, None],
            wanted[held, column],
            weights[held, column],
            CALIBRATION_PENALTY,
            both,
        )
        scale = max(1 + change, 0.1)
        head.weight[column] = head.weight[column] * scale
        head.bias[column] = head.bias[column] * scale + shift
        head.word_weight[column] = head.word_weight[column] * scale
        head.word_bias[column] = head.word_bias[column] * scale + shift


def moved(
    background: Background | None,
    before: Sequence[ArticleFeatures],
    after: Sequence[ArticleFeatures],
) -> Background | None:
    """Where the new encoder sees newspaper articles, by how it moved the examples."""
    if background is None:
        return None
    change = torch.stack([a.mean - b.mean for a, b in zip(after, before, strict=True)]).mean(0)
    return replace(background, mean=background.mean + change)
