"""What the runs that made and measured a theme checkpoint write of it: settings, model card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HEAD = """---
language: vi
license: apache-2.0
base_model: intfloat/multilingual-e5-small
pipeline_tag: text-classification
library_name: transformers
---

# Themes of Vietnamese articles

A multi-label classifier: which of {n} governance themes an article is about, and which it only
touches. Fine-tuned from `intfloat/multilingual-e5-small` (MIT), its vocabulary cut to Vietnamese
news, with one more layer that pools the mean of the tokens into `[CLS]`.

Labels: {labels}. A label `<theme>:mentioned` asks whether the article says anything on the theme.
`AutoModelForSequenceClassification` loads the transformer. Beside it lies a linear model over words
(`words.safetensors`, TF-IDF of 1–2-grams, those of the first 100 syllables counted once more;
`model/words.py`): an article's logit is the mean of the two, and its sigmoid a calibrated
probability (Platt scaling is folded into both); `config.themes` holds each theme's name on screen
and its thresholds. Over a corpus the transformer is left out where words alone lie
`config.early_exit` log-odds below every threshold. Articles are read whole, in windows of at most
256 tokens: mean over the windows for a main topic, maximum for a mention (`model/windows.py`).
`background.safetensors` holds mean and covariance of what the encoder sees of 1,500 newspaper
articles (`training.describe_background`), from which new themes are set apart when a user trains
them.

## Training

{training}

First taught what TF-IDF + linear SVM says of ungraded articles (`training.distill`), then public
articles (VietNews, Baomoi 2017) graded 0 / 1 / 2 by reading, and articles written for training,
with invented places and people (`training/data`). The commands stand in the project's README.
"""

LIMITS = """
## Limits

Articles written for training and for the check are model-written and graded by their writers;
the public ones are of 2014–2019, and were picked to be hard, so that their proportions are not
those of a newspaper. Real papers of other years may differ. A very short text gives
little to go by. Scores say what an article is about, not whether it is true or important.
"""


def figure(value: float) -> str:
    """Two or three digits, as a reader compares them."""
    return f"{value:.3f}"


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def macro_table(metrics: dict[str, dict[str, Any]]) -> str:
    """False alarms and macro-F1 (three ways and their mean) of every system on every set.

    A set in which some theme is nowhere a main topic has no macro-F1.
    """
    rows = []
    for name, systems in metrics.items():
        for system, measured in systems.items():
            complete = all(ways["topic"]["positives"] for ways in measured["themes"].values())
            scores = [figure(v) if complete else "–" for v in measured["macro_f1"].values()]
            rows.append(
                [name, str(measured["articles"]), system, str(measured["false_alarms"]), *scores]
            )
    header = ["held-out set", "articles", "system", "false alarms"]
    return table([*header, "2 / 0", "2 / 0, 1", "1, 2 / 0", "mean"], rows)


def theme_table(metrics: dict[str, Any]) -> str:
    """Precision, recall, F1, average precision and ECE per theme and way."""
    rows = [
        [theme, way, str(m["positives"])]
        + [figure(m[k]) for k in ("precision", "recall", "f1", "average_precision", "ece")]
        for theme, ways in metrics["themes"].items()
        for way, m in ways.items()
    ]
    header = ["theme", "way", "positives", "precision", "recall", "F1", "AP", "ECE"]
    return table(header, rows)


def write_settings(settings: dict[str, Any], encoder: Path, output: Path) -> None:
    """Write `training.json`: the settings of this training, and of those that made `encoder`."""
    before = encoder / "training.json"
    if before.exists():
        settings = settings | {"before": json.loads(before.read_text("utf-8"))}
    (output / "training.json").write_text(json.dumps(settings, indent=1) + "\n")


def training_table(training: dict[str, Any]) -> str:
    """Settings and outcome of the training, beside those it went on from (`before`)."""
    steps = [training]
    while "before" in steps[0]:
        steps.insert(0, steps[0]["before"])
    names = ["value"] if len(steps) == 1 else [f"training {n}" for n in range(1, len(steps) + 1)]
    keys = dict.fromkeys(key for step in reversed(steps) for key in step if key != "before")
    rows = [[key, *(str(step.get(key, "")) for step in steps)] for key in keys]
    return table(["setting", *names], rows)


def write_model_card(checkpoint: Path) -> None:
    """Write README.md from `config.json`, `training.json` and, if measured, `metrics.json`."""
    config = json.loads((checkpoint / "config.json").read_text("utf-8"))
    training = json.loads((checkpoint / "training.json").read_text("utf-8"))
    card = HEAD.format(
        n=len(config["themes"]),
        labels=", ".join(f"`{label}`" for label in config["id2label"].values()),
        training=training_table(training),
    )
    measured = checkpoint / "metrics.json"
    if measured.exists():
        metrics = json.loads(measured.read_text("utf-8"))
        card += (
            "\n## Measured\n\n`python -m training.evaluate`, on articles held out of training, "
            "calibration and the choice of thresholds. Macro-F1 in three ways to read the grades: "
            "2 against 0 (1 left out), 2 against 0 and 1, 1 and 2 against 0. A false alarm is a "
            "theme claimed as a main topic that the article does not even touch.\n\n"
            + macro_table(metrics)
            + "\n\nThis model on the test split, per theme:\n\n"
            + theme_table(metrics["test"]["this model"])
            + "\n\n![Readers' grades against the model's](confusion.png)\n"
        )
    (checkpoint / "README.md").write_text(card + LIMITS, "utf-8")
