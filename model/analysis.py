"""The whole way of one article: text in, `Analysis` out. Every front shows this and no more."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from model.article import Article
from model.classifier import Evidence, ThemeClassifier, ThemeScore
from model.registry import current_checkpoint
from model.summarizer import DEFAULT_LENGTH, Summarizer, Summarizes, Summary


@dataclass(frozen=True)
class Analysis:
    """What is known of one article.

    Attributes:
        title: may be empty.
        primary: key of the main theme of highest score; None if the article is about none.
        themes: every theme of the model, in its order.
        evidence: sentences per found theme, best first.
        summary: its sentences' places are those of `sentences`.
        sentences: the cleaned article, sentence by sentence.
        paragraphs: the cleaned article as it is shown, the title first if there is one.
    """

    title: str
    primary: str | None
    themes: list[ThemeScore]
    evidence: list[Evidence]
    summary: Summary
    sentences: list[str]
    paragraphs: list[str]

    def to_json(self) -> dict[str, Any]:
        """The public form: plain types, without what only a page needs."""
        result = asdict(self)
        del result["paragraphs"]
        for theme in result["themes"]:
            del theme["mention_score"]
        return result


def primary_theme(themes: list[ThemeScore]) -> str | None:
    """The main theme of highest score, or None."""
    topics = [theme for theme in themes if theme.is_topic]
    return max(topics, key=lambda theme: theme.score).theme if topics else None


@lru_cache(maxsize=2)  # the one in use, and the one that it takes the place of
def _load_classifier(checkpoint: Path) -> ThemeClassifier:
    return ThemeClassifier(checkpoint)


def load_classifier() -> ThemeClassifier:
    """The classifier in use, loaded once per process and again when another is promoted."""
    return _load_classifier(current_checkpoint())


@cache
def load_summarizer() -> Summarizer:
    """The extractive summarizer, loaded once per process."""
    return Summarizer()


def analyze(
    text: str,
    classifier: ThemeClassifier | None = None,
    summarizer: Summarizes | None = None,
    length: str = DEFAULT_LENGTH,
) -> Analysis:
    """Analyse one pasted article. Raises InputError if it is no Vietnamese article."""
    return analyze_article(Article.from_text(text), classifier, summarizer, length)


def analyze_article(
    article: Article,
    classifier: ThemeClassifier | None = None,
    summarizer: Summarizes | None = None,
    length: str = DEFAULT_LENGTH,
) -> Analysis:
    """Analyse one article; the models are the embedded ones unless others are given."""
    classifier = classifier or load_classifier()
    summarizer = summarizer or load_summarizer()
    [themes] = classifier.predict([article])
    [summary] = summarizer.summarize([article], length)
    found = sorted((t for t in themes if t.is_mentioned), key=lambda t: -t.score)
    return Analysis(
        title=article.title,
        primary=primary_theme(themes),
        themes=themes,
        evidence=classifier.evidence(article, [t.theme for t in found]),
        summary=summary,
        sentences=article.sentences,
        paragraphs=article.text.split("\n"),
    )
