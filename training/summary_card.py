"""The model card of a sentence scorer, written by the runs that made and measured it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from training.model_card import table, training_table

HEAD = """---
language: vi
license: apache-2.0
base_model: intfloat/multilingual-e5-small
pipeline_tag: token-classification
library_name: transformers
---

# Sentences for summaries of Vietnamese news

Scores how much each sentence of an article is worth in a summary: the mean over its tokens of the
logits of the label `worth` (`model/summarizer.py`). Articles are read whole, in windows of at most
448 tokens that begin with the title (`model/sentence_windows.py`). The label `copied` is an
auxiliary task of the training: does the editors' abstract have this token beside the same
neighbour? `AutoModelForTokenClassification` loads it.

The lowest {layers} layers of `intfloat/multilingual-e5-small` (MIT), its vocabulary cut to
Vietnamese news.

## Training

{training}

`count` articles of VietNews train (Nguyen et al. 2019), a random sample. Listwise cross-entropy on
the ROUGE of each sentence against the abstract, with a bonus for those of the greedy oracle;
squared error; binary cross-entropy on the copied tokens. `choices` are articles of which a
language model, asked as an editor, chose the sentences that it would print under the title
(`training/data/summary-choices.tsv`); what it chose stands in the place of ROUGE and of the
abstract. `kept` is the share of the weights before the training in a mean with those after it.
The commands stand in the project's README.
"""

LIMITS = """
## Limits

An extract says what its sentences say: it cannot join two of them, and a pronoun may be left
without its noun. Learnt from newspapers of 2014–2019.
"""


def rouge_cells(rouge: dict[str, dict[str, float]]) -> list[str]:
    """ROUGE-1 / 2 / L of each scale."""
    return [" / ".join(f"{value:.1f}" for value in scale.values()) for scale in rouge.values()]


def rouge_table(metrics: dict[str, Any]) -> str:
    """Every system's ROUGE on the split (or a sample of it) and on its first 500 articles."""
    rows = [
        [name, *rouge_cells(m["rouge"]), *rouge_cells(m["rouge_first"]), f"{m['syllables']:.0f}"]
        for name, m in metrics.items()
    ]
    header = ["system", "split: published", "split: syllable"]
    return table([*header, "first 500: published", "first 500: syllable", "syllables"], rows)


def choices_table(figures: dict[str, Any]) -> str:
    """How every system agrees with what a reader chose."""
    shares = ("best", "good", "bad", "none of the best")
    rows = [
        [system, *(f"{own[share]:.0%}" for share in shares), f"{own['sentences']:.1f}"]
        for system, own in figures.items()
    ]
    return table(["system", *shares, "sentences"], rows)


def write_summary_card(checkpoint: Path) -> None:
    """Write README.md from `training.json` and, if measured, `metrics.json`, `choices.json`."""
    training = json.loads((checkpoint / "training.json").read_text("utf-8"))
    card = HEAD.format(
        layers=training["layers"],
        training=training_table(training),
    )
    measured = checkpoint / "metrics.json"
    if measured.exists():
        metrics = json.loads(measured.read_text("utf-8"))
        own = metrics["this model"]
        card += (
            f"\n## Measured\n\n`python -m training.evaluate_summaries` on {own['articles']} of the "
            "22,644 articles of VietNews test, ROUGE-1 / 2 / L on two scales: `published` is that "
            "of `rouge_score` with its default tokenizer, which drops every letter outside a–z; "
            "`syllable` counts whole syllables.\n\n"
            + rouge_table(metrics)
            + f"\n\n{own['seconds_per_article']:.2f} s an article on two cores, "
            f"{own['megabytes']} MB at the most (the test articles included). Summaries with "
            f"a number or a name that the article lacks: {own['unsupported']:.2%}.\n"
        )
    chosen = checkpoint / "choices.json"
    if chosen.exists():
        figures = json.loads(chosen.read_text("utf-8"))
        card += (
            "\n## What a reader chooses\n\n`python -m training.evaluate_choices` on "
            f"{figures['this model']['articles']} articles held out, of which a language model, "
            "asked as an editor, chose the sentences that it would print under the title. Shares "
            "of a summary's sentences that are among the best for it, the best or other good ones, "
            "and poor choices; and of the summaries without one of the best. One sentence loses "
            "nothing by these for what it leaves out.\n\n" + choices_table(figures) + "\n"
        )
    (checkpoint / "README.md").write_text(card + LIMITS, "utf-8")
