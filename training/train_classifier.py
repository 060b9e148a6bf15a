"""Fine-tune an encoder to classify articles by theme.

    python -m training.train_classifier --encoder runs/encoder --corpus DIR --output runs/themes

The encoder is what `training.build_encoder` wrote (mean-pooled), or any folder or hub name
that `AutoModelForSequenceClassification` loads (`vinai/phobert-base-v2`, `xlm-roberta-base`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from datasets import Dataset
from sklearn.linear_model import LogisticRegression
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertForSequenceClassification,
    BertModel,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Trainer,
    TrainingArguments,
    set_seed,
)

from model.article import Article
from model.classifier import MENTIONED, ThemeClassifier
from model.features import head_of
from model.windows import WINDOW, article_windows, pad_windows, pool_windows
from model.words import WordModel
from training.data import (
    DATA,
    LABELS,
    SHIPPED,
    THEMES,
    LabelledArticle,
    grade_matrix,
    load_graded,
    load_jsonl,
    soft_targets,
)
from training.heads import save, set_head
from training.metrics import choose_thresholds
from training.model_card import write_model_card, write_settings
from training.pooling import standardize_pooler, with_mean_pooling
from training.resume import can_resume, fingerprint
from training.word_svm import WordSvm

logger = logging.getLogger(__name__)
MAX_WINDOWS = 3  # in training only: the first two and the last
EXIT_RESERVE = 0.5  # log-odds
PROBE_C = 0.5  # of the logistic regression that becomes the first head
ENCODE_ARTICLES = 8
STEP_ARTICLES = 4  # that go through the encoder at once


def to_dataset(
    articles: Sequence[Article],
    labels: np.ndarray,
    tokenizer: PreTrainedTokenizerBase,
    window: int,
    weights: np.ndarray | None = None,
    max_windows: int = MAX_WINDOWS,
) -> Dataset:
    """Rows of `index`, `windows` (token ids of each), `length` (of the longest) and `labels`.

    Args:
        articles: what is learnt from.
        labels: their targets, shape (articles, labels).
        window: tokens, at most.
        weights: of the targets, of the same shape; they become a column if they are given.
        max_windows: of an article: the first ones and the last.
    """
    rows: list[dict[str, Any]] = []
    for index, article in enumerate(articles):
        windows = article_windows(tokenizer, article, window)
        if len(windows) > max_windows:
            windows = [*windows[: max_windows - 1], windows[-1]]
        row = {"index": index, "windows": windows, "length": max(map(len, windows))}
        row["labels"] = labels[index].tolist()
        if weights is not None:
            row["weights"] = weights[index].tolist()
        rows.append(row)
    return Dataset.from_list(rows)


def graded_dataset(
    articles: list[LabelledArticle],
    tokenizer: PreTrainedTokenizerBase,
    window: int,
    labels: Sequence[str] = LABELS,
    max_windows: int = MAX_WINDOWS,
) -> Dataset:
    """`to_dataset` with the grades of readers as targets of some of `LABELS`."""
    columns = [LABELS.index(label) for label in labels]
    targets = soft_targets(grade_matrix(articles))[:, columns]
    texts = [item.article for item in articles]
    return to_dataset(texts, targets, tokenizer, window, max_windows=max_windows)


class ArticleCollator:
    """Lay the windows of a batch of articles under one another.

    Args:
        pad_token_id: the tokenizer's.
        states: for each article, for each window, the output of the frozen layers, fp16, shape
            (tokens, hidden); given, the batch holds them as `states` and no `input_ids`.
    """

    def __init__(self, pad_token_id: int, states: list[list[torch.Tensor]] | None = None) -> None:
        self.pad_token_id = pad_token_id
        self.states = states

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """One batch from rows of `to_dataset`."""
        windows = [window for row in rows for window in row["windows"]]
        owner = [index for index, row in enumerate(rows) for _ in row["windows"]]
        batch = pad_windows(windows, self.pad_token_id)
        if self.states is not None:
            states = [state for row in rows for state in self.states[row["index"]]]
            del batch["input_ids"]
            batch["states"] = nn.utils.rnn.pad_sequence(states, batch_first=True)
        for column in ("labels", "weights"):
            if column in rows[0]:
                batch[column] = torch.tensor([row[column] for row in rows])
        return {**batch, "owner": torch.tensor(owner)}


def run_layers(layers: nn.ModuleList, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Run some of BERT's layers over their input, shape (windows, tokens, hidden)."""
    bias = mask[:, None, None, :].to(states.dtype)
    bias = (1 - bias) * torch.finfo(states.dtype).min
    for layer in layers:
        output = layer(states, bias)
        states = output if isinstance(output, torch.Tensor) else output[0]
    return states


@torch.no_grad()
def encode_frozen(
    bert: BertModel, dataset: Dataset, pad: int, layers: int
) -> list[list[torch.Tensor]]:
    """The states behind the lowest `layers`, as `ArticleCollator` takes them."""
    kept: list[list[torch.Tensor]] = []
    for start in range(0, len(dataset), ENCODE_ARTICLES):
        articles = dataset[start : start + ENCODE_ARTICLES]["windows"]
        windows = [window for article in articles for window in article]
        inputs = pad_windows(windows, pad)
        states = bert.embeddings(inputs["input_ids"])
        states = run_layers(bert.encoder.layer[:layers], states, inputs["attention_mask"])
        own = iter(s[: len(w)].half().clone() for s, w in zip(states, windows, strict=True))
        kept += [[next(own) for _ in article] for article in articles]
    return kept


class ArticleTrainer(Trainer):
    """The loss is that of whole articles, whose windows are pooled as in `ThemeClassifier`.

    Args:
        frozen_layers: layers that `states` in a batch have passed already.
    """

    def __init__(self, *args: Any, frozen_layers: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.frozen_layers = frozen_layers
        self.model_accepts_loss_kwargs = False  # the loss below is a mean over its own batch

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Binary cross-entropy of each article's pooled logits.

        `weights`, of the shape of `labels`, say how much each of them counts, if they are there.
        """
        mask = inputs["attention_mask"]
        if "states" in inputs:
            layers = model.bert.encoder.layer[self.frozen_layers :]
            states = run_layers(layers, inputs["states"].float(), mask)
            logits = model.classifier(model.dropout(model.bert.pooler(states)))
        else:
            logits = model(input_ids=inputs["input_ids"], attention_mask=mask).logits.float()
        names: dict[int, str] = self.model.config.id2label  # type: ignore[assignment]
        mentioned = torch.tensor([names[i].endswith(MENTIONED) for i in range(len(names))])
        mentioned = mentioned.to(logits.device)
        logits = pool_windows(logits, mask.sum(1), inputs["owner"], mentioned)
        losses = nn.functional.binary_cross_entropy_with_logits(
            logits, inputs["labels"], reduction="none"
        )
        weights = inputs.get("weights", torch.ones_like(losses))
        loss = (losses * weights).sum() / weights.sum().clamp(min=1e-6)
        return (loss, {"logits": logits}) if return_outputs else loss


def probe(features: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logistic regressions on frozen features: weights (labels, hidden) and biases (labels,)."""
    fits = [
        LogisticRegression(C=PROBE_C, max_iter=2000).fit(features, column > 0.5)
        for column in targets.T
    ]
    return np.vstack([f.coef_ for f in fits]), np.concatenate([f.intercept_ for f in fits])


def with_first_head(
    encoder: str, dataset: Dataset, pad: int, labels: Sequence[str]
) -> PreTrainedModel:
    """An encoder as a classifier: fitted to `dataset` if it is mean-pooled, else untrained."""
    if is_mean_pooled(encoder):
        return with_probe_head(encoder, dataset, pad, labels)
    return with_new_head(encoder, labels)


def labels_to_learn(encoder: str) -> list[str]:
    """All of `LABELS`; a checkpoint that is shipped, taught further, has only `SHIPPED` ones."""
    known = set(AutoConfig.from_pretrained(encoder).label2id)
    return SHIPPED if known == set(SHIPPED) else LABELS


def is_mean_pooled(encoder: str) -> bool:
    """Is it an encoder of `training.build_encoder`?"""
    return bool(getattr(AutoConfig.from_pretrained(encoder), "mean_pooled", False))


def with_new_head(encoder: str, labels: Sequence[str]) -> PreTrainedModel:
    """Any encoder as `AutoModelForSequenceClassification` loads it, with an untrained head."""
    return AutoModelForSequenceClassification.from_pretrained(
        encoder,
        dtype=torch.float32,
        num_labels=len(labels),
        problem_type="multi_label_classification",
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
    )


@torch.no_grad()
def with_probe_head(
    encoder: str, dataset: Dataset, pad: int, labels: Sequence[str]
) -> BertForSequenceClassification:
    """A mean-pooled encoder whose head is fitted to the articles of `dataset`."""
    base = AutoModel.from_pretrained(encoder, add_pooling_layer=False)
    model = with_mean_pooling(base, list(labels)).eval()
    articles = encode_frozen(model.bert, dataset, pad, model.config.num_hidden_layers)
    ends = torch.stack([window[0] for article in articles for window in article]).float()
    standardize_pooler(model, ends)
    owner = torch.tensor([i for i, article in enumerate(articles) for _ in article])
    lengths = torch.tensor([len(window) for article in articles for window in article])
    pooled = model.bert.pooler(ends[:, None])
    mean = torch.zeros(pooled.shape[1], dtype=torch.bool)
    features = pool_windows(pooled, lengths, owner, mean).numpy()
    weights, biases = probe(features, np.array(dataset["labels"]))
    model.classifier.weight.copy_(torch.from_numpy(weights))
    model.classifier.bias.copy_(torch.from_numpy(biases))
    return model


def freeze(model: PreTrainedModel, layers: int) -> None:
    """Leave the embeddings and the lowest layers as they were pretrained."""
    base = model.base_model
    for module in [base.embeddings, *base.encoder.layer[:layers]]:
        module.requires_grad_(False)


def platt_scaling(logits: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale and shift of every label that make the sigmoid a probability (Platt 1999).

    Both have shape (labels,). They pass unchanged through the pooling of windows (a mean or a
    maximum), so they can be folded into a head. Where `targets` are NaN they are left out.
    """
    scale, shift = np.ones(logits.shape[1], np.float32), np.zeros(logits.shape[1], np.float32)
    for i, known in enumerate(~np.isnan(targets.T)):
        truth = targets[known, i] > 0.5
        if truth.any() and not truth.all():
            fit = LogisticRegression(C=1.0).fit(logits[known, i][:, None], truth)
            # A label that validation cannot rank must not be turned upside down.
            scale[i], shift[i] = max(float(fit.coef_[0, 0]), 0.1), fit.intercept_[0]
    return scale, shift


def exit_margin(words: np.ndarray, both: np.ndarray, thresholds: list[float]) -> float:
    """How far below every threshold words alone must lie for the transformer to be left out.

    So far that of the validation articles in which both find anything none is left out, and
    `EXIT_RESERVE` further, since other papers use other words.

    Args:
        words, both: calibrated logits, shape (articles, labels).
        thresholds: probability per label.
    """
    limits = np.log(thresholds) - np.log1p(-np.array(thresholds))
    found = (both >= limits).any(1)
    short = -(words - limits).max(1)[found]
    return round(float(max(short.max(initial=0.0), 0.0)) + EXIT_RESERVE, 2)


def keep_labels(model: PreTrainedModel, labels: list[str]) -> None:
    """Drop every other label from the head."""
    head = head_of(model)
    rows = [model.config.label2id[label] for label in labels]
    set_head(model, labels, head.weight[rows].detach(), head.bias[rows].detach())


def scale_head(model: PreTrainedModel, scale: np.ndarray, shift: np.ndarray) -> None:
    """Fold a scale and a shift of every label into the head."""
    head = head_of(model)
    with torch.no_grad():
        head.weight *= torch.from_numpy(scale)[:, None]
        head.bias.copy_(head.bias * torch.from_numpy(scale) + torch.from_numpy(shift))


def calibrate_and_save(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    words: WordModel,
    articles: Sequence[Article],
    targets: np.ndarray,
    names: Mapping[str, str],
    output: Path,
) -> None:
    """Set a word model beside the classifier, calibrate both on validation articles, write them.

    The classifier is calibrated alone first, so that its logits weigh as much as the words'; then
    the mean of the two is, and thresholds are chosen for it.

    Args:
        articles: for validation.
        targets: probabilities of the model's labels, NaN where unknown; shape (articles, labels).
        names: of the themes on screen, by key.
    """
    model.config.themes = {key: {"label": name} for key, name in names.items()}
    save(model, tokenizer, output)
    classifier = ThemeClassifier(output)
    classifier.words = None  # of an earlier run
    own = classifier.logits(articles).numpy()
    scale, shift = platt_scaling(own, targets)
    scale_head(model, scale, shift)
    own_words = words.logits([a.text for a in articles]).numpy()
    both = (own * scale + shift + own_words) / 2
    scale, shift = platt_scaling(both, targets)
    scale_head(model, scale, shift)
    words.weights *= torch.from_numpy(scale)
    words.bias = words.bias * torch.from_numpy(scale) + torch.from_numpy(shift)
    probabilities = 1 / (1 + np.exp(-(both * scale + shift)))
    thresholds = choose_thresholds(classifier.labels, targets, probabilities)
    for label, threshold in zip(classifier.labels, thresholds, strict=True):
        kind = "mention_threshold" if label.endswith(MENTIONED) else "threshold"
        model.config.themes[label.removesuffix(MENTIONED)][kind] = threshold
    model.config.early_exit = exit_margin(
        own_words * scale + shift, both * scale + shift, thresholds
    )
    save(model, tokenizer, output)
    words.save(output)


def training_arguments(work: Path, **settings: Any) -> TrainingArguments:
    """What every run has in common: a linear schedule, and checkpoints to resume from."""
    return TrainingArguments(
        output_dir=str(work),
        warmup_steps=0.1,
        lr_scheduler_type="linear",
        weight_decay=0.01,
        logging_steps=10,
        save_steps=50,
        save_total_limit=1,
        remove_unused_columns=False,
        report_to="none",
        disable_tqdm=True,
        **settings,
    )


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
    settings: dict[str, Any] = {
        "encoder": Path(encoder).name,
        "epochs": epochs,
        "learning_rate": learning_rate,
        "batch_size": batch_size,
        "frozen_layers": frozen_layers,
        "seed": seed,
    }
    logging.basicConfig(level=logging.INFO)
    set_seed(seed)
    graded = load_graded(corpus)
    train = [a for a in graded if a.split == "train"] + load_jsonl(written, "train")
    validation = [a for a in graded if a.split == "validation"]
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    logger.info("%d training articles", len(train))
    work = output.with_name(output.name + "-work")
    resume = can_resume(work, fingerprint(train, settings))
    window = min(WINDOW, AutoConfig.from_pretrained(encoder).max_position_embeddings - 2)
    labels = labels_to_learn(encoder)
    dataset = graded_dataset(train, tokenizer, window, labels)
    pad = tokenizer.pad_token_id
    model = with_first_head(encoder, dataset, pad, labels)
    states = None
    if isinstance(model, BertForSequenceClassification):
        # The frozen layers give the same states in every epoch: compute them once.
        states = encode_frozen(model.bert.eval(), dataset, pad, frozen_layers)
    freeze(model, frozen_layers)
    arguments = training_arguments(
        work,
        num_train_epochs=epochs,
        learning_rate=learning_rate,
        # Small steps, accumulated, of windows of like length keep a CPU's caches warm.
        per_device_train_batch_size=min(batch_size, STEP_ARTICLES),
        gradient_accumulation_steps=max(1, batch_size // STEP_ARTICLES),
        train_sampling_strategy="group_by_length",
        seed=seed,
    )
    trainer = ArticleTrainer(
        model=model,
        args=arguments,
        train_dataset=dataset,
        data_collator=ArticleCollator(pad, states),
        frozen_layers=frozen_layers,
    )
    trainer.train(resume_from_checkpoint=resume)
    model.cpu().eval()
    keep_labels(model, SHIPPED)
    calibrate_and_save(
        model,
        tokenizer,
        WordSvm.of_graded(train).word_model(SHIPPED),
        [item.article for item in validation],
        soft_targets(grade_matrix(validation, list(THEMES))),
        THEMES,
        output,
    )
    losses = [e["train_loss"] for e in trainer.state.log_history if "train_loss" in e]
    settings |= {
        "training_articles": len(train),
        "train_loss": round(losses[-1], 4) if losses else None,
    }
    write_settings(settings, Path(encoder), output)
    write_model_card(output)


if __name__ == "__main__":
    typer.run(main)
