"""Fine-tune any encoder on labelled articles in a file: JSONL in, checkpoint out.

    python -m training.train_jsonl articles.jsonl --encoder xlm-roberta-base --output runs/mine
    accelerate launch -m training.train_jsonl articles.jsonl --encoder DIR --output runs/mine

The rows are those of `chude labels import`: `id`, `text` or `title`, `lead`, `body`, and `labels`,
a list of themes; `touched` and `absent` may say more. A checkpoint comes out as `ThemeClassifier`
reads it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from transformers import AutoConfig, AutoTokenizer, BertForSequenceClassification, set_seed

from labels.importing import read_labels
from labels.store import MAIN, TOUCHED, Labelled, article_id
from model.classifier import MENTIONED
from model.errors import InputError
from model.windows import WINDOW
from training.resume import can_resume
from training.retrain.examples import MIN_EXAMPLES, Example, targets
from training.train_classifier import (
    ArticleCollator,
    ArticleTrainer,
    calibrate_and_save,
    encode_frozen,
    freeze,
    to_dataset,
    training_arguments,
    with_first_head,
)
from training.word_svm import WordSvm

logger = logging.getLogger(__name__)
VALIDATION = 5  # every fifth article, if no others are given


class Precision(StrEnum):
    """Of the computing; weights are kept in single precision while they are trained."""

    no = "no"
    bf16 = "bf16"
    fp16 = "fp16"


def read_examples(
    path: Path, known: Mapping[str, str] | None = None
) -> tuple[list[Example], dict[str, str]]:
    """Labelled articles, and the names of their themes by key.

    Args:
        known: themes by key, if they are known already.

    Raises InputError if the file has none.
    """
    reading = read_labels(str(path), known or {})
    for problem in reading.problems:
        logger.warning("%s", problem)
    if not reading.labelled:
        raise InputError(f"Không có bài nào có nhãn trong '{path}'.")

    def example(item: Labelled) -> Example:
        return Example(article_id(item.article), item.name, item.article, item.grades)

    return [example(item) for item in reading.labelled], reading.new


def labels_of(examples: Sequence[Example], themes: Sequence[str]) -> list[str]:
    """A label per theme, and `<theme>:mentioned` where enough articles only touch it.

    Raises InputError if a theme has too few examples.
    """
    labels = list(themes)
    for theme in themes:
        grades = [example.grades.get(theme) for example in examples]
        if (count := grades.count(MAIN)) < MIN_EXAMPLES:
            missing = MIN_EXAMPLES - count
            raise InputError(f"Chủ đề '{theme}' mới có {count} bài, còn thiếu {missing} bài.")
        if grades.count(TOUCHED) >= MIN_EXAMPLES:
            labels.append(theme + MENTIONED)
    return labels


def main(
    articles: Annotated[Path, typer.Argument(help="Labelled articles (any table of `chude`).")],
    encoder: Annotated[str, typer.Option(help="Folder or hub name of the encoder.")],
    output: Annotated[Path, typer.Option(help="Folder of the checkpoint.")],
    validation: Annotated[
        Path | None, typer.Option(help="Labelled articles for calibration, else every fifth.")
    ] = None,
    epochs: float = 4,
    learning_rate: float = 1e-4,
    batch_size: Annotated[int, typer.Option(help="Articles per device at once.")] = 4,
    accumulate: Annotated[int, typer.Option(help="Batches to one step.")] = 4,
    frozen_layers: Annotated[int, typer.Option(help="Lowest layers left as they are.")] = 0,
    mixed_precision: Precision = Precision.no,
    seed: int = 1,
) -> None:
    """Fine-tune an encoder on labelled articles; resumes from the last checkpoint."""
    logging.basicConfig(level=logging.INFO)
    settings: dict[str, Any] = {
        "encoder": Path(encoder).name,
        "epochs": epochs,
        "learning_rate": learning_rate,
        "batch_size": batch_size * accumulate,
        "frozen_layers": frozen_layers,
        "mixed_precision": mixed_precision.value,
        "seed": seed,
    }
    set_seed(seed)
    examples, names = read_examples(articles)
    if validation is not None:
        held_out = read_examples(validation, names)[0]
    else:
        held_out = [e for e in examples if int(e.id[:8], 16) % VALIDATION == 0]
        examples = [e for e in examples if int(e.id[:8], 16) % VALIDATION]
    labels = labels_of(examples, list(names))
    truth = np.stack([targets(examples, label) for label in labels], axis=1).astype(np.float32)
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    window = min(WINDOW, AutoConfig.from_pretrained(encoder).max_position_embeddings - 2)
    known = ~np.isnan(truth)
    texts = [example.article for example in examples]
    dataset = to_dataset(
        texts, np.where(known, truth, 0), tokenizer, window, known.astype(np.float32)
    )
    work = output.with_name(output.name + "-work")
    resume = can_resume(work, repr([settings, sorted(e.id for e in examples), labels]))
    pad = tokenizer.pad_token_id
    model = with_first_head(encoder, dataset, pad, labels)
    states = None
    if isinstance(model, BertForSequenceClassification) and frozen_layers:
        states = encode_frozen(model.bert.eval(), dataset, pad, frozen_layers)
    if frozen_layers:
        freeze(model, frozen_layers)
    trainer = ArticleTrainer(
        model=model,
        args=training_arguments(
            work,
            num_train_epochs=epochs,
            learning_rate=learning_rate,
            per_device_train_batch_size=batch_size,
            gradient_accumulation_steps=accumulate,
            train_sampling_strategy="group_by_length",
            bf16=mixed_precision is Precision.bf16,
            fp16=mixed_precision is Precision.fp16,
            use_cpu=not torch.cuda.is_available(),  # else bf16 is taken to be a GPU's
            seed=seed,
        ),
        train_dataset=dataset,
        data_collator=ArticleCollator(pad, states),
        frozen_layers=frozen_layers if states is not None else 0,
    )
    trainer.train(resume_from_checkpoint=resume)
    if not trainer.is_world_process_zero():
        return  # of several processes one writes
    model.cpu().eval()
    words = WordSvm([a.text for a in texts], truth, labels).word_model(labels)
    calibrate_and_save(
        model,
        tokenizer,
        words,
        [example.article for example in held_out],
        np.stack([targets(held_out, label) for label in labels], axis=1),
        names,
        output,
    )
    settings["training_articles"] = len(examples)
    (output / "training.json").write_text(json.dumps(settings, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
