"""Fine-tune an encoder to score sentences for a summary (BERTSum's idea: Liu & Lapata 2019).

    python -m training.train_sentence_scorer --encoder runs/encoder \\
        --articles DIR/vietnews/train.parquet --output runs/sentences

The checkpoint is an `AutoModelForTokenClassification`. A sentence's score is the mean of its
tokens' logits for the label `worth`: separators as sentence representations learn nothing with an
encoder that was trained for mean pooling. The other label, `copied`, says of each token whether
the editors' abstract has it together with its neighbour (content selection: Gehrmann et al.
2018); it is there because it teaches the encoder something at every token.

With `--choices` the scorer learns from what readers chose (`training/summary_choices.py`) as well;
`--encoder` is then best a scorer that has learnt from abstracts, of which `--kept` keeps a part.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from datasets import Dataset
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForTokenClassification,
    AutoTokenizer,
    PreTrainedTokenizerBase,
    Trainer,
    TrainingArguments,
    set_seed,
)

from model.sentence_windows import sentence_windows
from model.summarizer import sentence_means
from model.windows import pad_windows, token_ids
from training.model_card import write_settings
from training.resume import can_resume, fingerprint
from training.summary_card import write_summary_card
from training.summary_choices import Choice, chosen_ids, read_choices
from training.summary_data import SummarizedArticle, read_articles, reference_worth

logger = logging.getLogger(__name__)
LABELS = {0: "worth", 1: "copied"}
SHARPNESS = 0.08  # of the target distribution over an article's sentences
SQUARED = 2.0  # weight of the squared error beside the listwise loss
LATER = 0.5  # share of the long articles of which a later window is seen, too
IGNORED = -100  # tokens that belong to no sentence of the window


def copied_tokens(ids: list[int], sentence: list[int], reference: list[int]) -> list[int]:
    """For each token whether the reference has it beside the same neighbour: 1, 0 or IGNORED."""
    pairs = set(pairwise(reference))
    hits = [pair in pairs for pair in pairwise(ids)]
    return [
        IGNORED if owner < 0 else int(before or after)
        for owner, before, after in zip(sentence, [False, *hits], [*hits, False], strict=True)
    ]


def to_row(
    article: SummarizedArticle,
    worth: np.ndarray,
    tokenizer: PreTrainedTokenizerBase,
    rng: random.Random,
) -> dict[str, Any] | None:
    """The first window of an article, and of every second article one of the later ones, with
    what their sentences are worth, numbered from 0; None if there is nothing to choose."""
    first, *later = sentence_windows(tokenizer, article.title, article.sentences)
    windows = [first, *([rng.choice(later)] if later and rng.random() < LATER else [])]
    seen = sorted({number for window in windows for number in window.sentence if number >= 0})
    worth = worth[seen]
    if len(seen) < 2 or worth.max() <= 0:
        return None
    place = {number: index for index, number in enumerate(seen)} | {-1: -1}
    reference = token_ids(tokenizer, article.reference)
    return {
        "input_ids": [window.input_ids for window in windows],
        "sentence": [[place[number] for number in window.sentence] for window in windows],
        "copied": [copied_tokens(w.input_ids, w.sentence, reference) for w in windows],
        "worth": worth.tolist(),
        "length": max(len(window.input_ids) for window in windows),
    }


def pad_rows(rows: Iterable[list[int]], longest: int, value: int) -> torch.Tensor:
    """Rows of different length as one tensor, shape (rows, longest)."""
    return torch.tensor([row + [value] * (longest - len(row)) for row in rows])


class SentenceCollator:
    """Pad the windows of several articles; number their sentences through."""

    def __init__(self, pad_token_id: int) -> None:
        self.pad_token_id = pad_token_id

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """`input_ids`, `attention_mask`, `sentence`, `copied`: (windows, tokens);
        `worth`, `article`: (sentences,)."""
        batch = pad_windows([ids for row in rows for ids in row["input_ids"]], self.pad_token_id)
        longest = batch["input_ids"].shape[1]
        sentence, first = [], 0
        for row in rows:
            sentence += [[i + first if i >= 0 else i for i in own] for own in row["sentence"]]
            first += len(row["worth"])
        copied = [own for row in rows for own in row["copied"]]
        return {
            **batch,
            "sentence": pad_rows(sentence, longest, -1),
            "copied": pad_rows(copied, longest, IGNORED),
            "worth": torch.tensor([value for row in rows for value in row["worth"]]),
            "article": torch.tensor([i for i, row in enumerate(rows) for _ in row["worth"]]),
        }


class SentenceTrainer(Trainer):
    """Listwise cross-entropy over an article's sentences, squared error on their worth, and
    binary cross-entropy on the tokens that the abstract copies."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.model_accepts_loss_kwargs = False  # the loss is a mean over its own batch

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """The loss of a batch of `SentenceCollator`."""
        logits = model(inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits.float()
        worth, article, copied = inputs["worth"], inputs["article"], inputs["copied"]
        scores = sentence_means(logits[..., 0], inputs["sentence"], len(worth))
        listwise = []
        for index in range(int(article.max()) + 1):
            own = article == index
            target = torch.softmax(worth[own] / SHARPNESS, 0)
            listwise.append(-(target * torch.log_softmax(scores[own], 0)).sum())
        squared = nn.functional.mse_loss(torch.sigmoid(scores), worth.clamp(0, 1))
        known = copied != IGNORED
        tokens = nn.functional.binary_cross_entropy_with_logits(
            logits[..., 1][known], copied[known].float()
        )
        loss = torch.stack(listwise).mean() + SQUARED * squared + tokens
        return (loss, {"logits": scores}) if return_outputs else loss


def mix_in(model: nn.Module, before: dict[str, torch.Tensor], share: float) -> None:
    """Replace the weights by a mean of theirs and those `before` (WiSE-FT: Wortsman et al. 2022).

    Args:
        share: of the weights before.
    """
    after = model.state_dict()
    model.load_state_dict({name: torch.lerp(after[name], before[name], share) for name in after})


def main(
    encoder: Annotated[str, typer.Option(help="Folder or hub name of the encoder.")],
    articles: Annotated[Path, typer.Option(help="VietNews train.parquet.")],
    output: Annotated[Path, typer.Option(help="Folder of the checkpoint.")],
    count: Annotated[int, typer.Option(help="Articles to learn from.")] = 20_000,
    choices: Annotated[
        Path | None, typer.Option(help="Table of what readers chose, to learn from as well.")
    ] = None,
    corpus: Annotated[
        Path | None,
        typer.Option(help="Folder of the Parquet files with those articles."),
    ] = None,
    epochs: float = 1,
    learning_rate: float = 3e-4,
    batch_size: int = 16,
    step_size: Annotated[int, typer.Option(help="Articles that go through at once.")] = 4,
    layers: Annotated[int, typer.Option(help="Lowest layers that are kept.")] = 6,
    frozen_layers: Annotated[int, typer.Option(help="Lowest layers left as they are.")] = 3,
    kept: Annotated[
        float,
        typer.Option(min=0, max=1, help="Share of the weights before training that is mixed in."),
    ] = 0.0,
    seed: int = 1,
) -> None:
    """Fine-tune an encoder to score sentences; resumes from the last checkpoint."""
    settings: dict[str, Any] = {
        "encoder": Path(encoder).name,
        "count": count,
        "epochs": epochs,
        "learning_rate": learning_rate,
        "batch_size": batch_size,
        "layers": layers,
        "frozen_layers": frozen_layers,
        "seed": seed,
    }
    if (choices is None) != (corpus is None):
        raise typer.BadParameter("--choices and --corpus belong together")
    if kept and AutoConfig.from_pretrained(encoder).id2label != LABELS:
        raise typer.BadParameter("only the weights of a scorer can be kept", param_hint="--kept")
    logging.basicConfig(level=logging.INFO)
    set_seed(seed)
    chosen: list[Choice] = []
    seen: set[str] = set()
    if choices and corpus:
        chosen, seen = read_choices(corpus, "train", choices), chosen_ids(choices)
    taught = [[choice.id, choice.best, choice.also, choice.bad] for choice in chosen]
    work = output.with_name(output.name + "-work")
    resume = can_resume(work, fingerprint([], settings | {"taught": taught}))
    settings |= {"choices": len(chosen), "kept": kept} if chosen else {"kept": kept}
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    rng = random.Random(seed)
    sample = read_articles(articles, count, without=seen)
    worths = [(article, reference_worth(article)) for article in sample]
    worths += [(choice.summarized(), choice.worth()) for choice in chosen]
    rows = [row for article, worth in worths if (row := to_row(article, worth, tokenizer, rng))]
    logger.info("%d articles", len(rows))
    model = AutoModelForTokenClassification.from_pretrained(
        encoder,
        num_hidden_layers=layers,
        id2label=LABELS,
        label2id={name: index for index, name in LABELS.items()},
        hidden_dropout_prob=0.0,
        classifier_dropout=0.0,
        dtype=torch.float32,
    )
    base = model.base_model
    for module in [base.embeddings, *base.encoder.layer[:frozen_layers]]:
        module.requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    arguments = TrainingArguments(
        output_dir=str(work),
        num_train_epochs=epochs,
        learning_rate=learning_rate,
        per_device_train_batch_size=min(batch_size, step_size),
        gradient_accumulation_steps=max(1, batch_size // step_size),
        train_sampling_strategy="group_by_length",
        warmup_steps=0.05,
        lr_scheduler_type="linear",
        weight_decay=0.01,
        logging_steps=10,
        save_steps=100,
        save_total_limit=1,
        remove_unused_columns=False,
        report_to="none",
        seed=seed,
        disable_tqdm=True,
    )
    trainer = SentenceTrainer(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        data_collator=SentenceCollator(tokenizer.pad_token_id),
    )
    trainer.train(resume_from_checkpoint=resume)
    mix_in(model.cpu(), before, kept)
    model.eval().half().save_pretrained(output)
    tokenizer.save_pretrained(output)
    losses = [e["train_loss"] for e in trainer.state.log_history if "train_loss" in e]
    settings["train_loss"] = round(losses[-1], 4) if losses else None
    write_settings(settings, Path(encoder), output)
    write_summary_card(output)


if __name__ == "__main__":
    typer.run(main)
