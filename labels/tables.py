"""Write a few rows to any form of table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from model.corpus.source import Row, Source
from model.corpus.writers import SHEET_CELL, SUFFIXES, write_results
from model.errors import InputError


class Records(Source):
    """Rows that are in memory."""

    def __init__(self, columns: Sequence[str], records: Sequence[dict[str, Any]]) -> None:
        self.columns, self.records = list(columns), records

    def count(self) -> int:
        """How many there are."""
        return len(self.records)

    def rows(self, start: int = 0) -> Iterator[Row]:
        """From number `start` on."""
        for number, record in enumerate(self.records[start:], start + 1):
            yield Row(number, record)


def write_table(output: Path, columns: Sequence[str], records: Sequence[dict[str, Any]]) -> None:
    """Write records in the form that the ending names.

    Raises InputError if it names none or the place cannot be written; an older file stays.
    """
    if output.suffix.lower() not in SUFFIXES:
        raise InputError(f"Không ghi được dạng '{output.suffix}'. Các dạng: {', '.join(SUFFIXES)}.")
    texts = (cell for record in records for cell in record.values() if isinstance(cell, str))
    if output.suffix.lower() == ".xlsx" and any(len(text) > SHEET_CELL for text in texts):
        raise InputError(
            f"Excel không chứa được bài dài hơn {SHEET_CELL} ký tự. Hãy ghi ra .jsonl hoặc .csv."
        )
    source = Records(columns, records)
    try:
        write_results(output, source, ((row, {}) for row in source.rows()), [])
    except OSError as error:
        raise InputError(f"Không ghi được '{output}': {error.strerror or error}.") from error
