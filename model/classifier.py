"""The themes of an article, and the sentences that speak of them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)

from model.article import Article, syllable_count
from model.windows import (
    WINDOW,
    article_windows,
    batches_by_length,
    pad_windows,
    pool_windows,
)
from model.words import WordModel

DEFAULT_CHECKPOINT = Path(__file__).parent / "checkpoints" / "themes"
MENTIONED = ":mentioned"  # behind a theme's key: the label that asks for more than its absence
MAX_EVIDENCE = 5  # sentences shown per theme
CANDIDATES = 8  # sentences per theme that the transformer reads to find them
MIN_EVIDENCE_SYLLABLES = 5
# transformers changes torch's defaults while it loads, for every thread of the process.
LOADING = threading.Lock()


@dataclass(frozen=True)
class ThemeScore:
    """What the classifier says of one theme in one article.

    Attributes:
        theme: its key. label: its name on screen.
        score: calibrated probability that the article is about it.
        mention_score: calibrated probability that it says anything on it, at least `score`.
        is_topic: the score reaches the theme's threshold.
        is_mentioned: the article says at least something on it (true of every topic).
    """

    theme: str
    label: str
    score: float
    mention_score: float
    is_topic: bool
    is_mentioned: bool


@dataclass(frozen=True)
class Evidence:
    """A sentence that speaks of a theme; the score is the probability that it does."""

    theme: str
    sentence: str
    score: float


def theme_settings(config: Any) -> dict[str, dict[str, Any]]:
    """Per theme its name on screen (`label`), its `threshold` and its `mention_threshold`."""
    labels = (config.id2label[i] for i in range(config.num_labels))
    themes = [label for label in labels if not label.endswith(MENTIONED)]
    return {
        theme: {"label": theme, "threshold": 0.5, "mention_threshold": 0.5}
        | getattr(config, "themes", {}).get(theme, {})
        for theme in themes
    }


def read_themes(checkpoint: str | Path) -> dict[str, dict[str, Any]]:
    """`theme_settings` of a checkpoint, without loading its weights."""
    return theme_settings(AutoConfig.from_pretrained(checkpoint))


class ThemeClassifier:
    """A multi-label sequence classifier over articles of any length.

    The themes are those of the checkpoint: `id2label` names a label per theme and, where the
    model was taught it, one more `<theme>:mentioned`; `config.themes` holds per theme its name
    on screen and its thresholds. A checkpoint without `config.themes` works as well.

    Where a word model lies beside the weights, a logit is the mean of both models'.
    """

    def __init__(self, checkpoint: str | Path = DEFAULT_CHECKPOINT) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(checkpoint)
        with LOADING:
            self.model = AutoModelForSequenceClassification.from_pretrained(
                checkpoint, dtype=torch.float32
            ).eval()
        self.words = WordModel.load(Path(checkpoint))
        config = self.model.config
        self.name = str(checkpoint)
        self.labels: list[str] = [config.id2label[i] for i in range(config.num_labels)]
        self.settings = theme_settings(config)
        self.themes = list(self.settings)
        self.mentioned = torch.tensor([label.endswith(MENTIONED) for label in self.labels])
        thresholds = [
            self.settings[label.removesuffix(MENTIONED)][
                "mention_threshold" if label.endswith(MENTIONED) else "threshold"
            ]
            for label in self.labels
        ]
        self.threshold_logits = torch.logit(torch.tensor(thresholds))
        # RoBERTa's positions begin behind the padding index, so two fewer can be used.
        self.window = min(WINDOW, config.max_position_embeddings - 2)

    def window_logits(self, windows: list[list[int]]) -> torch.Tensor:
        """The transformer's logits of windows, shape (windows, labels)."""
        logits = torch.empty(len(windows), len(self.labels))
        for batch in batches_by_length(windows):
            inputs = pad_windows([windows[i] for i in batch], self.tokenizer.pad_token_id)
            logits[batch] = self.model(**inputs).logits
        return logits

    @torch.inference_mode()
    def logits(self, articles: Sequence[Article], early_exit: bool = False) -> torch.Tensor:
        """Logits of the articles, shape (articles, labels).

        Args:
            articles: any number.
            early_exit: leave the transformer out where words alone lie far enough below every
                threshold (`config.early_exit`, in log-odds).
        """
        if not articles:
            return torch.empty(0, len(self.labels))
        if self.words is None:
            return self._read(articles)
        words = self.words.logits([article.text for article in articles])
        margin = getattr(self.model.config, "early_exit", None) if early_exit else None
        if margin is None:
            return (self._read(articles) + words) / 2
        logits = words.clone()
        read = ((words - self.threshold_logits).amax(1) >= -margin).nonzero()[:, 0]
        if len(read):
            logits[read] = (self._read([articles[i] for i in read]) + words[read]) / 2
        return logits

    def _read(self, articles: Sequence[Article]) -> torch.Tensor:
        """The transformer's logits of whole articles, shape (articles, labels)."""
        windows: list[list[int]] = []
        owner: list[int] = []
        for index, article in enumerate(articles):
            own = article_windows(self.tokenizer, article, self.window)
            windows += own
            owner += [index] * len(own)
        weights = torch.tensor([len(window) for window in windows])
        logits = self.window_logits(windows)
        return pool_windows(logits, weights, torch.tensor(owner), self.mentioned)

    def probabilities(
        self, articles: Sequence[Article], early_exit: bool = False
    ) -> list[dict[str, float]]:
        """Calibrated probability of every label, a dictionary per article; see `logits`."""
        rows = torch.sigmoid(self.logits(articles, early_exit)).tolist()
        return [dict(zip(self.labels, row, strict=True)) for row in rows]

    def predict(
        self, articles: Sequence[Article], early_exit: bool = False
    ) -> list[list[ThemeScore]]:
        """The score of every theme, in the checkpoint's order, a list per article."""
        return [self.decide(row) for row in self.probabilities(articles, early_exit)]

    def evidence(self, article: Article, themes: Sequence[str]) -> list[Evidence]:
        """The sentences that speak most of each theme, best first, at least one per theme."""
        sentences = [
            sentence
            for sentence in dict.fromkeys(article.sentences)
            if syllable_count(sentence) >= MIN_EVIDENCE_SYLLABLES
        ]
        if not sentences or not themes:
            return []
        labels = [t + MENTIONED if t + MENTIONED in self.labels else t for t in themes]
        sentences = self._likely(sentences, labels)
        rows = self.probabilities([Article("", "", (sentence,)) for sentence in sentences])
        found = []
        for theme, label in zip(themes, labels, strict=True):
            ranked = sorted(
                (Evidence(theme, s, row[label]) for s, row in zip(sentences, rows, strict=True)),
                key=lambda e: -e.score,
            )[:MAX_EVIDENCE]
            threshold = self.settings[theme]["mention_threshold"]
            found += ranked[:1] + [e for e in ranked[1:] if e.score >= threshold]
        return found

    def _likely(self, sentences: list[str], labels: Sequence[str]) -> list[str]:
        """The sentences whose words speak most for one of the labels, in the article's order.

        The others would hardly be shown, and reading them took half the time of an analysis.
        """
        if self.words is None:
            return sentences
        columns = [self.labels.index(label) for label in labels]
        logits = self.words.logits(sentences)[:, columns]
        likely = logits.topk(min(CANDIDATES, len(sentences)), dim=0).indices
        return [sentences[i] for i in sorted(set(likely.flatten().tolist()))]

    def decide(self, row: dict[str, float]) -> list[ThemeScore]:
        """From an article's probabilities to its themes, by the checkpoint's thresholds."""
        scores = []
        for theme in self.themes:
            settings = self.settings[theme]
            score = row[theme]
            mention = max(score, row.get(theme + MENTIONED, 0.0))
            is_topic = score >= settings["threshold"]
            is_mentioned = is_topic or mention >= settings["mention_threshold"]
            scores.append(
                ThemeScore(theme, settings["label"], score, mention, is_topic, is_mentioned)
            )
        return scores
