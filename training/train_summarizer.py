"""Fine-tune a model that writes summaries; `chude summarize --mode abstractive --writer` uses it.

    # any sequence-to-sequence model, by folder or hub name
    python -m training.train_summarizer --model VietAI/vit5-base \\
        --articles DIR/vietnews/train.parquet --output runs/writer
    # or the project's own encoder with a decoder that starts from its layers
    python -m training.train_summarizer --encoder runs/encoder --decoder-layers 4 \\
        --articles DIR/vietnews/train.parquet --output runs/writer

The second way follows Rothe et al. 2020 (leveraging checkpoints): encoder and decoder both start
from the encoder's weights, only the cross-attention is new.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from datasets import Dataset
from transformers import (
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    BertLMHeadModel,
    BertModel,
    DataCollatorForSeq2Seq,
    EncoderDecoderModel,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    set_seed,
)

from model.written_summarizer import MAX_SOURCE
from training.resume import can_resume, fingerprint
from training.summary_data import SummarizedArticle, read_articles

logger = logging.getLogger(__name__)
MAX_TARGET = 96  # tokens of an abstract; nineteen in twenty are shorter


def encoder_decoder(
    encoder: str, tokenizer: PreTrainedTokenizerBase, decoder_layers: int
) -> EncoderDecoderModel:
    """A BERT encoder with a decoder of its lowest layers, which share the embeddings' values."""
    decoder = BertLMHeadModel.from_pretrained(
        encoder,
        is_decoder=True,
        add_cross_attention=True,
        num_hidden_layers=decoder_layers,
        dtype=torch.float32,
    )
    source = BertModel.from_pretrained(encoder, add_pooling_layer=False, dtype=torch.float32)
    model = EncoderDecoderModel(encoder=source, decoder=decoder)
    for config in (model.config, model.generation_config):
        config.decoder_start_token_id = tokenizer.bos_token_id
        config.eos_token_id = tokenizer.eos_token_id
        config.pad_token_id = tokenizer.pad_token_id
    return model


def load(
    model: str | None, encoder: str | None, decoder_layers: int
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model to start from and its tokenizer; exactly one of `model`, `encoder` is given."""
    if model is not None:
        tokenizer = AutoTokenizer.from_pretrained(model)
        return AutoModelForSeq2SeqLM.from_pretrained(model, dtype=torch.float32), tokenizer
    assert encoder is not None
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    return encoder_decoder(encoder, tokenizer, decoder_layers), tokenizer


def to_row(article: SummarizedArticle, tokenizer: PreTrainedTokenizerBase) -> dict[str, list[int]]:
    """Token ids of an article (title first) and of its abstract."""
    text = "\n".join(part for part in (article.title, *article.paragraphs) if part)
    row = tokenizer(
        text,
        text_target=article.reference,
        truncation=True,
        max_length=MAX_SOURCE,
        return_token_type_ids=False,
        split_special_tokens=True,
    )
    labels = row["labels"]
    if len(labels) > MAX_TARGET:
        labels = [*labels[: MAX_TARGET - 1], tokenizer.eos_token_id]
    return {"input_ids": row["input_ids"], "labels": labels}


def main(
    articles: Annotated[Path, typer.Option(help="VietNews train.parquet.")],
    output: Annotated[Path, typer.Option(help="Folder of the checkpoint.")],
    model: Annotated[str | None, typer.Option(help="Seq2seq model, folder or hub name.")] = None,
    encoder: Annotated[str | None, typer.Option(help="BERT encoder to build one from.")] = None,
    decoder_layers: Annotated[int, typer.Option(help="Of the decoder that --encoder gets.")] = 4,
    count: Annotated[int, typer.Option(help="Articles to learn from.")] = 100_000,
    epochs: float = 3,
    learning_rate: float = 1e-4,
    batch_size: int = 32,
    step_size: Annotated[int, typer.Option(help="Articles that go through at once.")] = 8,
    seed: int = 1,
) -> None:
    """Fine-tune a sequence-to-sequence model; resumes from the last checkpoint."""
    if (model is None) == (encoder is None):
        raise typer.BadParameter("give either --model or --encoder")
    logging.basicConfig(level=logging.INFO)
    set_seed(seed)
    settings: dict[str, Any] = {
        "model": Path(model or encoder or "").name,
        "decoder_layers": None if model else decoder_layers,
        "count": count,
        "epochs": epochs,
        "learning_rate": learning_rate,
        "batch_size": batch_size,
        "seed": seed,
    }
    work = output.with_name(output.name + "-work")
    resume = can_resume(work, fingerprint([], settings))
    writer, tokenizer = load(model, encoder, decoder_layers)
    rows = [to_row(article, tokenizer) for article in read_articles(articles, count)]
    logger.info("%d articles", len(rows))
    arguments = Seq2SeqTrainingArguments(
        output_dir=str(work),
        num_train_epochs=epochs,
        learning_rate=learning_rate,
        per_device_train_batch_size=min(batch_size, step_size),
        gradient_accumulation_steps=max(1, batch_size // step_size),
        bf16=torch.cuda.is_available(),
        warmup_steps=0.05,
        weight_decay=0.01,
        label_smoothing_factor=0.1,
        logging_steps=10,
        save_steps=500,
        save_total_limit=1,
        report_to="none",
        seed=seed,
        disable_tqdm=True,
    )
    trainer = Seq2SeqTrainer(
        model=writer,
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        data_collator=DataCollatorForSeq2Seq(tokenizer, model=writer),
    )
    trainer.train(resume_from_checkpoint=resume)
    writer.cpu().eval().half().save_pretrained(output)
    tokenizer.save_pretrained(output)
    (output / "training.json").write_text(json.dumps(settings, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
