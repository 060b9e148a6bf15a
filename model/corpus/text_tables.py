"""Rows of text files: JSON Lines, CSV, TSV."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TextIO

from model.corpus.csv_records import csv_records
from model.corpus.encoding import SAMPLE, find_delimiter, find_encoding
from model.corpus.source import Row, Source, unique_names
from model.errors import InputError

MAX_LINE = 16 << 20  # characters of one JSON object
BROKEN_BYTE = re.compile("[\udc80-\udcff]")  # as "surrogateescape" reads it


def open_text(path: Path, encoding: str) -> TextIO:
    """The text; a broken byte of UTF-8 can be told from all others, so that its row can."""
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    return path.open(encoding=encoding, errors=errors, newline="")


@dataclass
class JsonLines(Source):
    """A file of one JSON object per line."""

    path: Path
    encoding: str = field(init=False)

    def __post_init__(self) -> None:
        """Find the encoding. Raises InputError if the file is no text."""
        self.encoding = find_encoding(self.path)

    def _lines(self) -> Iterator[tuple[int, str]]:
        """Number and content of every line that is not blank, cut where it is endless."""
        with open_text(self.path, self.encoding) as file:
            number = 0
            while line := file.readline(MAX_LINE):
                number += 1
                if len(line) == MAX_LINE:
                    while (rest := file.readline(MAX_LINE)) and not rest.endswith("\n"):
                        pass
                if line.strip():
                    yield number, line

    def count(self) -> int:
        """Lines that are not blank."""
        return sum(1 for _ in self._lines())

    def rows(self, start: int = 0) -> Iterator[Row]:
        """Line by line; a broken line is a row with an error."""
        for number, line in islice(self._lines(), start, None):
            yield self.parse(number, line)

    @staticmethod
    def parse(number: int, line: str) -> Row:
        """Read one line; whatever is wrong with it is told in `error`, never raised."""
        if BROKEN_BYTE.search(line):
            return Row(number, {}, error="không phải chữ UTF-8.")
        try:
            record = json.loads(line.lstrip("\ufeff"))
        except (ValueError, RecursionError):
            return Row(number, {}, error="không phải JSON hợp lệ.")
        if not isinstance(record, dict):
            return Row(number, {}, error="phải là một đối tượng JSON {…}.")
        return Row(number, record)


@dataclass
class Delimited(Source):
    """A .csv or .tsv file, its first line the header."""

    path: Path
    encoding: str = field(init=False)
    delimiter: str = field(init=False)
    columns: list[str] = field(init=False)

    def __post_init__(self) -> None:
        """Find encoding, delimiter and header. Raises InputError if there are none."""
        self.encoding = find_encoding(self.path)
        with open_text(self.path, self.encoding) as file:
            sample = file.read(SAMPLE)
        header = next((line for line in sample.splitlines() if line.strip()), "")
        default = "\t" if self.path.suffix.lower() == ".tsv" else ","
        self.delimiter = find_delimiter(header, default)
        first = next(self._records(), None)
        if first is None or first[1] is None:
            raise InputError("Tệp không có dòng nào.")
        self.columns = unique_names(first[1])

    def _records(self) -> Iterator[tuple[int, list[str] | None]]:
        """As `csv_records` gives them."""
        with open_text(self.path, self.encoding) as file:
            yield from csv_records(file, self.delimiter)

    def count(self) -> int:
        """Records below the header."""
        return sum(1 for _ in self._records()) - 1

    def rows(self, start: int = 0) -> Iterator[Row]:
        """Record by record; the header is row 1, as in a spreadsheet."""
        width = len(self.columns)
        for number, cells in islice(self._records(), start + 1, None):
            if cells is None:
                yield Row(number, {}, error="thiếu dấu ngoặc kép đóng, hoặc ô quá dài.")
                continue
            error = None
            if len(cells) > width:
                error = f"có {len(cells)} ô, tiêu đề chỉ có {width} cột."
                cells[width - 1 :] = [self.delimiter.join(cells[width - 1 :])]
            elif any(map(BROKEN_BYTE.search, cells)):
                error = f"có chữ không đúng bảng mã {self.encoding}."
            padded = [*cells, *[None] * (width - len(cells))]
            yield Row(number, dict(zip(self.columns, padded, strict=True)), error=error)
