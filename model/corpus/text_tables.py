"""Rows of text files: JSON Lines, CSV, TSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TextIO

from model.article import MAX_CHARACTERS
from model.corpus.encoding import SAMPLE, find_delimiter, find_encoding
from model.corpus.source import Row, Source, files_identity, unique_names
from model.errors import InputError

MAX_LINE = 64 << 20  # bytes of one JSON object


@dataclass
class JsonLines(Source):
    """A file of one JSON object per line."""

    path: Path

    def count(self) -> int:
        """Lines that are not blank."""
        with self.path.open("rb") as lines:
            return sum(1 for line in lines if line.strip())

    def identity(self) -> str:
        """Of the file."""
        return files_identity([self.path])

    def rows(self, start: int = 0, contents: bool = True) -> Iterator[Row]:
        """Line by line; a broken line is a row with an error."""

        def numbered() -> Iterator[tuple[int, bytes]]:
            with self.path.open("rb") as file:
                number = 0
                while line := file.readline(MAX_LINE):
                    number += 1
                    if len(line) == MAX_LINE and not line.endswith(b"\n"):
                        while (rest := file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                            pass
                    if line.strip():
                        yield number, line

        for number, line in islice(numbered(), start, None):
            yield self.parse(number, line)

    @staticmethod
    def parse(number: int, line: bytes) -> Row:
        """Read one line; whatever is wrong with it is told in `error`, never raised."""
        try:
            record = json.loads(line.decode("utf-8-sig"))
        except UnicodeDecodeError:
            return Row(number, {}, error="không phải chữ UTF-8.")
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
        with self._open() as file:
            sample = file.read(SAMPLE)
        header = next((line for line in sample.splitlines() if line.strip()), "")
        default = "\t" if self.path.suffix.lower() == ".tsv" else ","
        self.delimiter = find_delimiter(header, default)
        # A cell is at most an article that is refused as too long; an open quotation mark must
        # not swallow the rest of the file.
        csv.field_size_limit(4 * MAX_CHARACTERS)
        first = next(self._records(), None)
        if first is None or first[1] is None:
            raise InputError("Tệp không có dòng nào.")
        self.columns = unique_names(first[1])

    def _open(self) -> TextIO:
        """The text; a broken byte of UTF-8 can be told from all others, so that its row can."""
        errors = "surrogateescape" if self.encoding.startswith("utf-8") else "replace"
        return self.path.open(encoding=self.encoding, errors=errors, newline="")

    def _records(self) -> Iterator[tuple[int, list[str] | None]]:
        """Number and cells of every record that is not blank; no cells where one is broken."""
        with self._open() as file:
            reader = csv.reader((line.replace("\0", "") for line in file), delimiter=self.delimiter)
            number = 0
            while True:
                number += 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error:
                    yield number, None
                    continue
                if cells:
                    yield number, cells

    def count(self) -> int:
        """Records below the header."""
        return sum(1 for _ in self._records()) - 1

    def identity(self) -> str:
        """Of the file."""
        return files_identity([self.path])

    def rows(self, start: int = 0, contents: bool = True) -> Iterator[Row]:
        """Record by record; the header is row 1, as in a spreadsheet."""
        width = len(self.columns)
        for number, cells in islice(self._records(), start + 1, None):
            if cells is None:
                yield Row(number, {}, error="ô quá dài (có lẽ thiếu dấu ngoặc kép đóng).")
                continue
            error = None
            if len(cells) > width:
                error = f"có {len(cells)} ô, tiêu đề chỉ có {width} cột."
                cells[width - 1 :] = [self.delimiter.join(cells[width - 1 :])]
            elif any("\udc80" <= c <= "\udcff" for cell in cells for c in cell if c > "\u07ff"):
                error = f"có chữ không đúng bảng mã {self.encoding}."
            padded = [*cells, *[None] * (width - len(cells))]
            yield Row(number, dict(zip(self.columns, padded, strict=True)), error=error)
