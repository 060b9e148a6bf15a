"""Fine-tune an encoder to classify articles by theme.

    python -m training.train_classifier --encoder runs/encoder --corpus DIR --output runs/themes

The encoder is what `training.build_encoder` wrote (mean-pooled), or any folder or hub name
that `AutoModelForSequenceClassification` loads (`vinai/phobert-base-v2`, `xlm-roberta-base`).
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from datasets import Dataset
from sklearn.linear_model import LogisticRegression
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Trainer,
    TrainingArguments,
    set_seed,
)

from model.classifier import MENTIONED, ThemeClassifier
from model.windows import WINDOW, article_windows, pad_windows, pool_windows
from training.data import DATA, KEYS, THEMES, LabelledArticle, grade_matrix, load_graded, load_jsonl
from training.metrics import best_threshold
from training.model_card import write_model_card
from training.pooling import standardize_pooler, with_mean_pooling

logger = logging.getLogger(__name__)
LABELS = [*KEYS, *(key + MENTIONED for key in KEYS)]
SHIPPED = [*THEMES, *(key + MENTIONED for key in THEMES)]
MAX_WINDOWS = 4  # in training only: the first three and the last
PROBE_STRENGTH = 0.02  # C of the logistic regression that becomes the first head


def soft_targets(grades: np.ndarray) -> np.ndarray:
    """Targets of `LABELS` from grades: P(main topic), then P(mentioned); (articles, 2 × keys)."""
    return np.hstack([np.clip(grades - 1, 0, 1), np.clip(grades, 0, 1)]).astype(np.float32)


def to_dataset(
    articles: list[LabelledArticle], tokenizer: PreTrainedTokenizerBase, window: int
) -> Dataset:
    """Rows of `windows` (token ids, one list per window), `labels` and `length`."""
    rows = []
    for item, labels in zip(articles, soft_targets(grade_matrix(articles)), strict=True):
        windows = article_windows(tokenizer, item.article, window)
        if len(windows) > MAX_WINDOWS:
            windows = [*windows[: MAX_WINDOWS - 1], windows[-1]]
        rows.append(
            {"windows": windows, "labels": labels.tolist(), "length": sum(map(len, windows))}
        )
    return Dataset.from_list(rows)


class ArticleCollator:
    """Lay the windows of a batch of articles under one another."""

    def __init__(self, pad_token_id: int) -> None:
        self.pad_token_id = pad_token_id

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        windows = [window for row in rows for window in row["windows"]]
        owner = [index for index, row in enumerate(rows) for _ in row["windows"]]
        return {
            **pad_windows(windows, self.pad_token_id),
            "owner": torch.tensor(owner),
            "labels": torch.tensor([row["labels"] for row in rows]),
        }


class ArticleTrainer(Trainer):
    """The loss is that of whole articles, whose windows are pooled as in `ThemeClassifier`."""

    def compute_loss(  # noqa: D102 (documented by Trainer)
        self,
        model: PreTrainedModel,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        owner, labels = inputs["owner"], inputs["labels"]
        outputs = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        mentioned = torch.tensor([label.endswith(MENTIONED) for label in LABELS])
        logits = pool_windows(
            outputs.logits.float(),
            inputs["attention_mask"].sum(1),
            owner,
            mentioned.to(outputs.logits.device),
        )
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)
        return (loss, {"logits": logits}) if return_outputs else loss


@torch.inference_mode()
def article_features(model: PreTrainedModel, dataset: Dataset, pad: int, pooled: bool) -> Any:
    """Mean over its windows of each article's pooler output, shape (articles, hidden); with
    `pooled` false, [CLS] of every window instead, shape (windows, hidden)."""
    features = []
    for row in dataset:
        inputs = pad_windows(row["windows"], pad)
        outputs = model.bert(**inputs.copy())
        if not pooled:
            features.append(outputs.last_hidden_state[:, 0])
            continue
        weights = inputs["attention_mask"].sum(1, keepdim=True)
        features.append((outputs.pooler_output * weights).sum(0, keepdim=True) / weights.sum())
    return torch.cat(features)


def probe(features: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logistic regressions on frozen features: weights (labels, hidden) and biases (labels,)."""
    fits = [
        LogisticRegression(C=PROBE_STRENGTH / 0.16, max_iter=2000).fit(features, column > 0.5)
        for column in targets.T
    ]
    return np.vstack([f.coef_ for f in fits]), np.concatenate([f.intercept_ for f in fits])


def initial_model(
    encoder: str, tokenizer: PreTrainedTokenizerBase, articles: list[LabelledArticle]
) -> PreTrainedModel:
    """The model that fine-tuning starts from.

    An encoder of this project is given mean pooling and a fitted head; any other is loaded as
    `AutoModelForSequenceClassification` does, with a new head.
    """
    config = AutoConfig.from_pretrained(encoder)
    if not getattr(config, "mean_pooled", False):
        return AutoModelForSequenceClassification.from_pretrained(
            encoder,
            num_labels=len(LABELS),
            problem_type="multi_label_classification",
            id2label=dict(enumerate(LABELS)),
            label2id={label: i for i, label in enumerate(LABELS)},
        )
    base = AutoModel.from_pretrained(encoder, add_pooling_layer=False)
    model = with_mean_pooling(base, LABELS).eval()
    dataset = to_dataset(articles, tokenizer, WINDOW)
    pad = tokenizer.pad_token_id
    sample = dataset.shuffle(seed=0).select(range(min(len(dataset), 400)))
    standardize_pooler(model, article_features(model, sample, pad, pooled=False))
    features = article_features(model, dataset, pad, pooled=True).numpy()
    weights, biases = probe(features, soft_targets(grade_matrix(articles)))
    with torch.no_grad():
        model.classifier.weight.copy_(torch.from_numpy(weights))
        model.classifier.bias.copy_(torch.from_numpy(biases))
    return model


def freeze(model: PreTrainedModel, layers: int) -> None:
    """Leave the embeddings and the lowest layers as they were pretrained."""
    base = model.base_model
    for module in [base.embeddings, *base.encoder.layer[:layers]]:
        module.requires_grad_(False)


def fold_calibration(model: PreTrainedModel, logits: np.ndarray, targets: np.ndarray) -> None:
    """Platt scaling (Platt 1999) of every label, folded into the head's weights.

    Scale and shift pass unchanged through the pooling of windows (a mean or a maximum), so the
    plain sigmoid of the checkpoint's logits is the calibrated probability.
    """
    head = model.classifier if isinstance(model.classifier, torch.nn.Linear) else (
        model.classifier.out_proj
    )
    for index in range(logits.shape[1]):
        x, y = logits[:, index : index + 1], targets[:, index] > 0.5
        # The prior (many articles of the middle) keeps few positives from extreme slopes.
        fit = LogisticRegression(C=1.0).fit(x, y)
        scale, shift = max(float(fit.coef_[0, 0]), 0.1), float(fit.intercept_[0])
        with torch.no_grad():
            head.weight[index] *= scale
            head.bias[index] = head.bias[index] * scale + shift


def keep_labels(model: PreTrainedModel, labels: list[str]) -> None:
    """Drop every other label from the head."""
    head = model.classifier if isinstance(model.classifier, torch.nn.Linear) else (
        model.classifier.out_proj
    )
    rows = [LABELS.index(label) for label in labels]
    head.weight = torch.nn.Parameter(head.weight[rows])
    head.bias = torch.nn.Parameter(head.bias[rows])
    head.out_features = len(rows)
    model.config.id2label = dict(enumerate(labels))
    model.config.label2id = {label: index for index, label in enumerate(labels)}
    model.num_labels = len(labels)


def calibrate_and_save(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    validation: list[LabelledArticle],
    output: Path,
) -> None:
    """Calibrate on validation articles, choose thresholds, write the fp16 checkpoint."""
    grades = grade_matrix(validation, list(THEMES))
    targets = soft_targets(grades)
    keep_labels(model, SHIPPED)
    model.config.themes = {key: {"label": name} for key, name in THEMES.items()}
    articles = [item.article for item in validation]

    def save() -> ThemeClassifier:
        model.half().save_pretrained(output)
        tokenizer.save_pretrained(output)
        model.float()
        return ThemeClassifier(output)

    fold_calibration(model, save().logits(articles).numpy(), targets)
    probabilities = torch.sigmoid(save().logits(articles)).numpy()
    for index, key in enumerate(THEMES):
        model.config.themes[key] |= {
            "threshold": best_threshold(targets[:, index] > 0.5, probabilities[:, index]),
            "mention_threshold": best_threshold(
                targets[:, len(THEMES) + index] > 0.5, probabilities[:, len(THEMES) + index]
            ),
        }
    save()


def main(
    encoder: Annotated[str, typer.Option(help="Folder or hub name of the encoder.")],
    corpus: Annotated[Path, typer.Option(help="Folder with the Parquet files of the texts.")],
    output: Annotated[Path, typer.Option(help="Folder of the checkpoint.")],
    written: Annotated[Path, typer.Option(help="Our own training articles.")] = DATA / "written",
    epochs: float = 4,
    learning_rate: float = 1e-4,
    batch_size: int = 16,
    frozen_layers: Annotated[int, typer.Option(help="Lowest layers left as they are.")] = 8,
    seed: int = 1,
) -> None:
    """Fine-tune an encoder on the graded articles; resumes from the last checkpoint."""
    logging.basicConfig(level=logging.INFO)
    set_seed(seed)
    graded = load_graded(corpus)
    train = [a for a in graded if a.split == "train"] + load_jsonl(written, "train")
    validation = [a for a in graded if a.split == "validation"]
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    logger.info("%d training articles", len(train))
    model = initial_model(encoder, tokenizer, train)
    freeze(model, frozen_layers)
    window = min(WINDOW, model.config.max_position_embeddings - 2)
    work = output.with_name(output.name + "-work")
    arguments = TrainingArguments(
        output_dir=str(work),
        num_train_epochs=epochs,
        learning_rate=learning_rate,
        per_device_train_batch_size=batch_size,
        warmup_steps=0.1,
        lr_scheduler_type="linear",
        weight_decay=0.01,
        logging_steps=10,
        save_strategy="epoch",
        save_total_limit=1,
        remove_unused_columns=False,
        report_to="none",
        seed=seed,
        disable_tqdm=True,
    )
    trainer = ArticleTrainer(
        model=model,
        args=arguments,
        train_dataset=to_dataset(train, tokenizer, window),
        data_collator=ArticleCollator(tokenizer.pad_token_id),
    )
    trainer.train(resume_from_checkpoint=any(work.glob("checkpoint-*")))
    model = trainer.model.cpu().eval()
    calibrate_and_save(model, tokenizer, validation, output)
    settings = {
        "encoder": Path(encoder).name,
        "epochs": epochs,
        "learning_rate": learning_rate,
        "batch_size": batch_size,
        "frozen_layers": frozen_layers,
        "seed": seed,
        "training_articles": len(train),
        "final_loss": next(
            (e["train_loss"] for e in reversed(trainer.state.log_history) if "train_loss" in e),
            None,
        ),
    }
    (output / "training.json").write_text(json.dumps(settings, indent=1) + "\n")
    write_model_card(output)


if __name__ == "__main__":
    typer.run(main)
