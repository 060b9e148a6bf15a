"""Measure summaries by what a reader chose, on articles held out for it.

    python -m training.evaluate_choices model/checkpoints/sentences --corpus DIR

Writes `choices.json` and the model card beside the weights.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from model.summarizer import Summarizer, choose
from training.evaluate_summaries import text_rank
from training.summary_card import write_summary_card
from training.summary_choices import SECOND_READING, Choice, read_choices

logger = logging.getLogger(__name__)


def share(shown: Sequence[int], of: Sequence[int]) -> float:
    """The share of the shown sentences that are among others; 0 of none."""
    return sum(i in of for i in shown) / max(1, len(shown))


def agreement(choices: Sequence[Choice], shown: Sequence[Sequence[int]]) -> dict[str, float]:
    """How summaries agree with what a reader chose.

    Args:
        choices: the reader's.
        shown: for each the numbers of the body sentences in the summary.

    Returns:
        Shares of the shown sentences that are `best`, `best` or `also` ("good"), and `bad`; share
        of summaries with no sentence of `best` ("none of the best"); sentences in a summary.
    """
    rows = [
        [
            share(own, choice.best),
            share(own, choice.best + choice.also),
            share(own, choice.bad),
            float(share(own, choice.best) == 0),
            float(len(own)),
        ]
        for choice, own in zip(choices, shown, strict=True)
    ]
    names = ("best", "good", "bad", "none of the best", "sentences")
    return {"articles": len(rows)} | dict(zip(names, np.mean(rows, axis=0).tolist(), strict=True))


def shown_by(summarizer: Summarizer, choices: Sequence[Choice], length: str) -> list[list[int]]:
    """The numbers of the body sentences that the program shows of each article."""
    articles = [choice.article for choice in choices]
    return [
        [
            sentence.source_index - bool(article.title)
            for sentence in summary.sentences
            if sentence.source_index is not None
        ]
        for article, summary in zip(articles, summarizer.summarize(articles, length), strict=True)
    ]


def central(choice: Choice) -> list[int]:
    """TextRank, with this program's choice of sentences."""
    sentences = choice.article.body_sentences
    return choose(sentences, text_rank(sentences))


def main(
    checkpoint: Annotated[Path, typer.Argument(help="Sentence scorer.")],
    corpus: Annotated[Path, typer.Option(help="Folder of the public texts (Parquet).")],
) -> None:
    """How often the sentences of a summary are those that a reader chose."""
    logging.basicConfig(level=logging.INFO)
    choices = read_choices(corpus, "test")
    again = {choice.id: choice.best for choice in read_choices(corpus, "test", SECOND_READING)}
    summarizer = Summarizer(checkpoint)
    shown: dict[str, Sequence[Sequence[int]]] = {
        "this model": shown_by(summarizer, choices, "medium"),
        "this model, one sentence": shown_by(summarizer, choices, "short"),
        "lead-1": [[0] for _ in choices],
        "lead-2": [[0, 1] for _ in choices],
        "TextRank": [central(choice) for choice in choices],
        "a second reading": [again[choice.id] for choice in choices],
    }
    figures = {system: agreement(choices, own) for system, own in shown.items()}
    logger.info("%s", json.dumps(figures, indent=1))
    (checkpoint / "choices.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    write_summary_card(checkpoint)


if __name__ == "__main__":
    typer.run(main)
