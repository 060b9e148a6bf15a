"""What is done to every row, whichever engine does it: text, themes, summary."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from model.analysis import primary_theme
from model.article import Article
from model.classifier import ThemeClassifier
from model.corpus.columns import TextColumns, article_of, columns_of
from model.corpus.documents import read_document
from model.corpus.source import FILE, Row
from model.errors import InputError
from model.registry import current_checkpoint
from model.summarizer import DEFAULT_LENGTH, Summarizer, Summarizes

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """What is to be done.

    Attributes:
        classify: find the themes.
        summarize: make summaries, `length` long (a key of `LENGTHS`).
        writer: folder of a model that writes them; None: they are sentences of the article.
        columns: where a row's text is; None: found for each row by usual names.
        exact: read every article to its end, also where its words say that there is nothing.
        checkpoint: folder of the theme classifier; the one in use unless another is given.
    """

    classify: bool = True
    summarize: bool = False
    length: str = DEFAULT_LENGTH
    writer: str | None = None
    columns: TextColumns | None = None
    exact: bool = False
    checkpoint: str = field(default_factory=lambda: str(current_checkpoint()))


def article_of_row(row: Row, columns: TextColumns | None) -> Article:
    """The article of a row: of a document, or of the cells of `columns`.

    Raises InputError if it has none.
    """
    if row.error is not None:
        raise InputError(row.error)
    if row.document is not None:
        try:
            data = row.document()
        except OSError as error:
            raise InputError(f"không đọc được: {error.strerror}.") from error
        return read_document(row.fields[FILE], data)
    return article_of(row.fields, columns or columns_of(tuple(row.fields)))


class Worker:
    """Holds the models and works on rows.

    Raises InputError if the writing model cannot be loaded.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.classifier = ThemeClassifier(settings.checkpoint) if settings.classify else None
        self.summarizer: Summarizes | None = None
        if settings.summarize:
            self.summarizer = Summarizer()
            if settings.writer is not None:
                from model.written_summarizer import WrittenSummarizer

                self.summarizer = WrittenSummarizer(settings.writer, self.summarizer)

    def __call__(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """A result per row: `primary`, `themes`, `scores`, `summary`, or only `error`."""
        results: list[dict[str, Any]] = [{} for _ in rows]
        articles: dict[int, Article] = {}
        for index, row in enumerate(rows):
            try:
                articles[index] = article_of_row(row, self.settings.columns)
            except InputError as error:
                results[index] = {"error": f"{row.place}: {error}"}
            except Exception as error:  # a reader's fault must not end the run either
                logger.exception("row %d", row.number)
                reason = f"lỗi khi đọc ({type(error).__name__})."
                results[index] = {"error": f"{row.place}: {reason}"}
        try:
            described = self.describe(list(articles.values()))
        except Exception:  # one article must not cost the others of its batch
            logger.exception("a batch failed; its rows are tried one by one")
            described = [self.describe_alone(article) for article in articles.values()]
        for index, result in zip(articles, described, strict=True):
            if "error" in result:
                result = {"error": f"{rows[index].place}: {result['error']}"}
            results[index] = result
        return results

    def describe(self, articles: list[Article]) -> list[dict[str, Any]]:
        """Themes and summaries of articles."""
        results: list[dict[str, Any]] = [{} for _ in articles]
        if self.classifier is not None:
            found = self.classifier.predict(articles, early_exit=not self.settings.exact)
            for result, themes in zip(results, found, strict=True):
                result["primary"] = primary_theme(themes)
                result["themes"] = [t.theme for t in themes if t.is_topic]
                result["scores"] = {t.theme: round(t.score, 6) for t in themes}
        if self.summarizer is not None:
            summaries = self.summarizer.summarize(articles, self.settings.length)
            for result, summary in zip(results, summaries, strict=True):
                result["summary"] = asdict(summary)
        return results

    def describe_alone(self, article: Article) -> dict[str, Any]:
        """`describe` of one article; what goes wrong is its error."""
        try:
            return self.describe([article])[0]
        except Exception as error:
            return {"error": f"lỗi khi phân tích ({type(error).__name__})."}
