"""An HTML page about a classified corpus: counts, time, scores, doubts, failures."""

from __future__ import annotations

import heapq
import math
import re
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

from jinja2 import Environment, PackageLoader

from model.corpus.columns import TextColumns, columns_of
from model.corpus.results import flatten
from model.corpus.source import FILE, Row
from model.numbers import number, percent

BINS = 20  # of a histogram of scores
DOUBTS = 30  # articles shown whose scores are nearest to a threshold
FAILURES = 200  # shown; all are counted
MOST_MONTHS = 36  # on one chart; a longer time is shown by years
FIRST = 200  # rows kept to be looked at
TITLE = 160  # characters
DATE = re.compile(
    r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})\b|\b\d{1,2}[-/.](?P<m2>\d{1,2})[-/.](?P<y2>\d{4})"
)


def month_of(cell: Any) -> str | None:
    """Year and month, "2024-05", of a date in a cell: a date, ISO 8601 or day/month/year."""
    if isinstance(cell, date):
        year, month = cell.year, cell.month
    elif isinstance(cell, str) and (found := DATE.search(cell)):
        year, month = int(found["y"] or found["y2"]), int(found["m"] or found["m2"])
    else:
        return None
    return f"{year}-{month:02}" if 1 <= month <= 12 and 1900 <= year <= 2100 else None


def log_odds(score: float) -> float:
    """The logit of a probability."""
    score = min(max(score, 1e-6), 1 - 1e-6)
    return math.log(score / (1 - score))


class Report:
    """Gathers counts row by row, in memory that does not grow with the corpus.

    Args:
        themes: settings per theme, as `model.classifier.read_themes` gives them; empty if only
            summaries are made.
        columns: where a row's text is; None: found for each row by usual names.

    Attributes:
        rows: all of them. failed: those with an error. untouched: those of no theme.
        topics: rows about each theme. primary: rows whose main theme it is.
        failures: the first errors. first: the first rows, each with its result as cells.
    """

    def __init__(
        self, themes: Mapping[str, Mapping[str, Any]], columns: TextColumns | None = None
    ) -> None:
        self.themes, self.columns = themes, columns
        self.rows = self.failed = self.untouched = 0
        self.topics: Counter[str] = Counter()
        self.primary: Counter[str] = Counter()
        self.months: dict[str, Counter[str]] = {}
        self.scores = {theme: [0] * BINS for theme in themes}
        self.failures: list[str] = []
        self.first: list[tuple[Row, dict[str, Any]]] = []
        self.doubts: list[tuple[float, int, dict[str, Any]]] = []

    def add(self, row: Row, result: dict[str, Any]) -> None:
        """Take a row into account."""
        self.rows += 1
        if len(self.first) < FIRST:
            self.first.append((row, flatten(result)))
        if "error" in result:
            self.failed += 1
            if len(self.failures) < FAILURES:
                self.failures.append(result["error"])
            return
        self.topics.update(result.get("themes", ()))
        self.untouched += not result.get("themes")
        if result.get("primary"):
            self.primary[result["primary"]] += 1
        columns = self._columns(row)
        if columns.date and (month := month_of(row.fields.get(columns.date))):
            counts = self.months.setdefault(month, Counter())
            counts.update(["rows", *result.get("themes", ())])
        for theme, score in result.get("scores", {}).items():
            self.scores[theme][min(int(score * BINS), BINS - 1)] += 1
        self._doubt(row, result)

    def _columns(self, row: Row) -> TextColumns:
        return self.columns or columns_of(tuple(row.fields))

    def _doubt(self, row: Row, result: Mapping[str, Any]) -> None:
        """Keep the row if it is among those nearest to a threshold."""
        distances = {
            theme: abs(log_odds(score) - log_odds(self.themes[theme]["threshold"]))
            for theme, score in result.get("scores", {}).items()
        }
        if not distances:
            return
        theme = min(distances, key=lambda key: distances[key])
        entry: tuple[float, int, dict[str, Any]] = (-distances[theme], -row.number, {})
        if len(self.doubts) == DOUBTS and entry[:2] <= self.doubts[0][:2]:
            return
        columns = self._columns(row)
        names = [columns.title, FILE, *columns.read]
        cells = (row.fields.get(name) for name in names if name)
        title = next((c for c in cells if isinstance(c, str) and c.strip()), "")
        entry[2].update(
            number=row.number,
            id=row.fields.get(columns.id or FILE, ""),
            title=" ".join(title[: 4 * TITLE].split())[:TITLE],
            theme=self.themes[theme]["label"],
            score=result["scores"][theme],
            threshold=self.themes[theme]["threshold"],
        )
        if len(self.doubts) < DOUBTS:
            heapq.heappush(self.doubts, entry)
        else:
            heapq.heapreplace(self.doubts, entry)

    def periods(self) -> list[tuple[str, Counter[str]]]:
        """Counts per month, empty ones too, or per year where there are many months."""
        if not self.months:
            return []
        first, last = (
            int(m[:4]) * 12 + int(m[5:]) - 1 for m in (min(self.months), max(self.months))
        )
        if last - first < MOST_MONTHS:
            months = [f"{n // 12}-{n % 12 + 1:02}" for n in range(first, last + 1)]
            return [(month, self.months.get(month, Counter())) for month in months]
        years: dict[str, Counter[str]] = {}
        for month, counts in self.months.items():
            years.setdefault(month[:4], Counter()).update(counts)
        return sorted(years.items())

    def render(self) -> str:
        """The page."""
        environment = Environment(loader=PackageLoader("model.corpus", "."), autoescape=True)
        environment.filters |= {"number": number, "percent": percent}
        doubts = [entry for *_, entry in sorted(self.doubts, key=lambda d: (-d[0], -d[1]))]
        periods = self.periods()
        return environment.get_template("report.html").render(
            report=self,
            done=self.rows - self.failed,
            doubts=doubts,
            periods=periods,
            most={key: max((c[key] for _, c in periods), default=0) or 1 for key in self.themes},
        )
