"""The records of a CSV file, in which one open quotation mark must not swallow all the others."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TextIO

from model.article import MAX_CHARACTERS

# A cell is at most an article that is refused as too long, a record a few of them.
MAX_CELL = 4 * MAX_CHARACTERS
MAX_RECORD = 2 * MAX_CELL


class Lines:
    """Feeds lines to a `csv.reader` and keeps those of the record that is being read."""

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.taken: list[str] = []
        self.ended_inside = False  # the file ended before the record did

    def __iter__(self) -> Iterator[str]:
        """The lines of the file; raises csv.Error where a record gets too long."""
        size = 0
        while line := self.file.readline(MAX_RECORD):
            size = len(line) + (size if self.taken else 0)
            self.taken.append(line)
            if size > MAX_RECORD:
                raise csv.Error("record too long")
            yield line.replace("\0", "")
        self.ended_inside = bool(self.taken)


def parse_line(line: str, delimiter: str) -> list[str] | None:
    """The cells of a line that is a record of its own; None if it is none."""
    try:
        return next(csv.reader([line.replace("\0", "")], delimiter=delimiter), [])
    except csv.Error:
        return None


def csv_records(file: TextIO, delimiter: str) -> Iterator[tuple[int, list[str] | None]]:
    """Number and cells of every record that is not blank.

    A record that does not end has no cells (None); the lines that it would have swallowed are
    read one by one.
    """
    csv.field_size_limit(MAX_CELL)  # of this process: a source may have come from another one
    lines = Lines(file)
    reader = csv.reader(iter(lines), delimiter=delimiter)
    number = 0
    while True:
        lines.taken.clear()
        number += 1
        try:
            cells: list[str] | None = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = None
        if cells is not None and not lines.ended_inside:
            if cells:
                yield number, cells
            continue
        yield number, None
        for line in lines.taken[1:]:
            number += 1
            if (alone := parse_line(line, delimiter)) != []:
                yield number, alone
        lines.ended_inside = False
        reader = csv.reader(iter(lines), delimiter=delimiter)
