"""Teach an encoder what words know, on articles that nobody has graded.

TF-IDF + linear SVM remembers which words go with a theme better than an encoder learns from a
few thousand articles; the encoder brings their meaning. Here it learns the first by imitating
the word model's probabilities on unlabelled articles (knowledge distillation: Hinton et al.
2015); `training.train_classifier --encoder OUTPUT` then teaches it what readers have graded:

    python -m training.distill --encoder runs/encoder --corpus DIR \\
        --unlabelled DIR/vietnews/train.parquet --output runs/distilled
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from datasets import Dataset
from transformers import AutoTokenizer, PreTrainedTokenizerBase, set_seed

from model.article import Article
from model.windows import WINDOW, article_windows
from training.data import DATA, KEYS, LABELS, load_graded, load_jsonl
from training.model_card import write_settings
from training.resume import can_resume, fingerprint
from training.split_labels import SIMILAR
from training.train_classifier import (
    ArticleCollator,
    ArticleTrainer,
    freeze,
    graded_dataset,
    save,
    training_arguments,
    with_probe_head,
)
from training.word_svm import WordSvm, plain_ngrams

logger = logging.getLogger(__name__)
LIKELY = 0.15  # probability of a mention from which an article has something to teach
RANDOM_SHARE = 0.2  # of articles taken whatever the word model says of them
PROBE_ARTICLES = 800  # graded ones that the first head is fitted on


def read_unlabelled(path: Path, labelled: set[str]) -> pd.DataFrame:
    """The articles of a Parquet file that nobody has graded: `title`, `lead`, `body`."""
    table = pd.read_parquet(path).rename(columns={"abstract": "lead"})
    return table.loc[~table["id"].isin(labelled), ["title", "lead", "body"]]


def choose(probabilities: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Indices of `count` articles: an equal share likely to mention each key, and some of any.

    Args:
        probabilities: of the labels, shape (articles, labels).
    """
    chosen: dict[int, None] = {}
    share = int(count * (1 - RANDOM_SHARE) / len(KEYS))
    for mentions in probabilities[:, len(KEYS) :].T:
        likely = rng.permutation(np.flatnonzero(mentions > LIKELY))
        chosen |= dict.fromkeys(likely[:share].tolist())
    chosen |= dict.fromkeys(rng.permutation(len(probabilities)).tolist())
    return np.array(sorted(list(chosen)[:count]))


def choose_articles(
    teacher: WordSvm,
    pool: pd.DataFrame,
    held_out: list[str],
    count: int,
    rng: np.random.Generator,
) -> tuple[list[Article], np.ndarray]:
    """Ungraded articles to learn from, none of them a near-duplicate of a held-out text.

    Args:
        pool: what `read_unlabelled` returns.

    Returns:
        The articles, and the teacher's probabilities of `LABELS`, shape (articles, labels).
    """
    vectors = teacher.vectorizer.transform(pool.agg("\n".join, axis=1))
    likeness = vectors @ teacher.vectorizer.transform(held_out).T
    fresh = np.flatnonzero(likeness.max(axis=1).toarray().ravel() < SIMILAR)
    probabilities = teacher.probabilities_of(vectors[fresh])
    rows = choose(probabilities, count, rng)
    articles = [
        Article.from_fields(*fields) for fields in pool.iloc[fresh[rows]].itertuples(index=False)
    ]
    return articles, probabilities[rows]


def soft_windows(
    teacher: WordSvm,
    articles: list[Article],
    topics: np.ndarray,
    tokenizer: PreTrainedTokenizerBase,
    rng: np.random.Generator,
) -> Dataset:
    """One window of each article, with the teacher's word on it.

    Whether it is about a theme is judged from the whole article (every window has its title in
    front), whether it mentions one from the window alone.

    Args:
        topics: probabilities of the whole articles, shape (articles, keys).
    """
    windows = []
    for article in articles:
        own = article_windows(tokenizer, article, WINDOW)
        windows.append(own[rng.integers(len(own))])
    mentions = teacher.probabilities(tokenizer.batch_decode(windows, skip_special_tokens=True))
    labels = np.hstack([topics, mentions[:, len(KEYS) :]]).astype(np.float32)
    return Dataset.from_dict(
        {
            "index": range(len(windows)),
            "windows": [[window] for window in windows],
            "labels": labels.tolist(),
        }
    )


def main(
    encoder: Annotated[Path, typer.Option(help="Folder that training.build_encoder wrote.")],
    corpus: Annotated[Path, typer.Option(help="Folder with the Parquet files of the texts.")],
    unlabelled: Annotated[Path, typer.Option(help="Parquet file of ungraded articles.")],
    output: Annotated[Path, typer.Option(help="Folder of the checkpoint.")],
    articles: Annotated[int, typer.Option(help="How many of them to read.")] = 7_000,
    learning_rate: float = 2e-4,
    batch_size: int = 16,
    frozen_layers: Annotated[int, typer.Option(help="Lowest layers left as they are.")] = 8,
    seed: int = 1,
) -> None:
    """Teach an encoder what a word model knows; resumes from the last checkpoint."""
    logging.basicConfig(level=logging.INFO)
    set_seed(seed)
    rng = np.random.default_rng(seed)
    graded = load_graded(corpus)
    train = [a for a in graded if a.split == "train"] + load_jsonl(DATA / "written", "train")
    teacher = WordSvm.of_graded(train, plain_ngrams)
    settings: dict[str, Any] = {
        "encoder": encoder.name,
        "epochs": 1,
        "learning_rate": learning_rate,
        "batch_size": batch_size,
        "frozen_layers": frozen_layers,
        "seed": seed,
        "training_articles": len(train),
        "ungraded_articles": articles,
    }
    work = output.with_name(output.name + "-work")
    resume = can_resume(work, fingerprint(train, settings | {"unlabelled": str(unlabelled)}))
    pool = read_unlabelled(unlabelled, {a.id for a in graded})
    held_out = [a.article.text for a in graded if a.split != "train"]
    chosen, probabilities = choose_articles(teacher, pool, held_out, articles, rng)
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    dataset = soft_windows(teacher, chosen, probabilities[:, : len(KEYS)], tokenizer, rng)
    logger.info("%d windows", len(dataset))
    sample = [train[i] for i in rng.permutation(len(train))[:PROBE_ARTICLES]]
    graded_windows = graded_dataset(sample, tokenizer, WINDOW, max_windows=1)
    model = with_probe_head(str(encoder), graded_windows, tokenizer.pad_token_id, LABELS)
    freeze(model, frozen_layers)
    arguments = training_arguments(
        work,
        num_train_epochs=1,
        learning_rate=learning_rate,
        per_device_train_batch_size=batch_size,
        seed=seed,
    )
    trainer = ArticleTrainer(
        model=model,
        args=arguments,
        train_dataset=dataset,
        data_collator=ArticleCollator(tokenizer.pad_token_id),
    )
    trainer.train(resume_from_checkpoint=resume)
    save(model.cpu(), tokenizer, output)
    write_settings(settings, encoder, output)


if __name__ == "__main__":
    typer.run(main)
