"""Work on the rows of a JSON Lines file: one row out per row in, in the same order."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from model.analysis import primary_theme
from model.article import Article
from model.classifier import ThemeClassifier
from model.errors import InputError
from model.summarizer import Summarizes

BATCH_ROWS = 32
FIELDS = ("title", "lead", "body")


@dataclass(frozen=True)
class Row:
    """A line of the input: its number from 1, its id, and the article or what is wrong."""

    number: int
    id: Any
    article: Article | None
    error: str | None = None


def parse_row(number: int, line: bytes) -> Row:
    """Read one line; whatever is wrong with it is told in `error`, never raised."""
    try:
        record = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return Row(number, None, None, f"Dòng {number}: không phải chữ UTF-8.")
    except (ValueError, RecursionError):
        return Row(number, None, None, f"Dòng {number}: không phải JSON hợp lệ.")
    if not isinstance(record, dict):
        return Row(number, None, None, f"Dòng {number}: phải là một đối tượng JSON {{…}}.")
    row_id = record.get("id")
    present = [name for name in ("text", *FIELDS) if record.get(name) is not None]
    if not present:
        reason = "thiếu trường 'text' (hoặc 'title', 'lead', 'body')."
        return Row(number, row_id, None, f"Dòng {number}: {reason}")
    if wrong := [name for name in present if not isinstance(record[name], str)]:
        return Row(number, row_id, None, f"Dòng {number}: trường '{wrong[0]}' phải là chuỗi.")
    title, lead, body = (record.get(name) for name in FIELDS)
    text = record.get("text") or ""
    try:
        if not text.strip() and present != ["text"]:
            return Row(number, row_id, Article.from_fields(title, lead, body))
        if title and not text.lstrip().startswith(title.strip()):
            return Row(number, row_id, Article.from_fields(title, lead, text))
        return Row(number, row_id, Article.from_text(text))
    except InputError as error:
        return Row(number, row_id, None, f"Dòng {number}: {error}")


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a file, line by line; blank lines are no rows."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield parse_row(number, line)


def process_rows(
    rows: Iterator[Row], describe: Callable[[list[Article]], list[dict[str, Any]]]
) -> Iterator[dict[str, Any]]:
    """One record per row: its id and what `describe` says, or `{"id", "line", "error"}`.

    Args:
        rows: from `read_rows`.
        describe: fields for each of the articles of a batch.
    """
    while batch := list(islice(rows, BATCH_ROWS)):
        described = iter(describe([row.article for row in batch if row.article]))
        for row in batch:
            if row.article is None:
                yield {"id": row.id, "line": row.number, "error": row.error}
            else:
                yield {"id": row.id} | next(described)


def describe_themes(articles: list[Article], classifier: ThemeClassifier) -> list[dict[str, Any]]:
    """`primary`, `themes` and `scores` of each article."""
    return [
        {
            "primary": primary_theme(themes),
            "themes": [t.theme for t in themes if t.is_topic],
            "scores": {t.theme: round(t.score, 6) for t in themes},
        }
        for themes in classifier.predict(articles)
    ]


def describe_summaries(
    articles: list[Article], summarizer: Summarizes, length: str
) -> list[dict[str, Any]]:
    """`summary` of each article: `text`, `mode` and `sentences`, as in an `Analysis`."""
    return [{"summary": asdict(s)} for s in summarizer.summarize(articles, length)]


def write_records(records: Iterator[dict[str, Any]], output: Path) -> None:
    """Write JSON Lines; the file appears under its name only when it is complete.

    Raises OSError and leaves a previous output as it was.
    """
    handle, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
    partial = Path(name)
    try:
        # Half a character (a lone surrogate) in an id goes out as it came in: "\\ud83d".
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            for record in records:
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
        partial.chmod(0o644)
        partial.replace(output)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
