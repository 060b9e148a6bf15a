"""What every kind of input has in common: rows, from front to back, as often as one likes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

FILE = "file"  # the column of a document's name
MAX_COLUMNS = 16_384  # as Excel has
CHUNK = 32  # rows that a worker gets at once


@dataclass(frozen=True)
class Row:
    """One row of the input.

    Attributes:
        number: its place as the user counts it: line, row of the sheet, place in the folder.
        fields: its cells by column.
        document: reads the content of a document, by whoever works on it; None for tables.
        error: what is wrong with it, else None.
    """

    number: int
    fields: dict[str, Any]
    document: Callable[[], bytes] | None = None
    error: str | None = None

    @property
    def place(self) -> str:
        """The row as its user finds it: its line, or the name of the document."""
        return f"Dòng {self.number}" if self.document is None else f"Tệp {self.fields[FILE]}"


class Source(ABC):
    """Rows of one kind of input."""

    path: Path
    columns: list[str] | None = None  # None: every row has its own
    schema: pa.Schema | None = None  # types of the columns, where the input says them
    seekable = False  # does `rows(start)` get there without reading what stands before?

    has_documents = False  # are the rows documents, and no cells of a table?

    @abstractmethod
    def count(self) -> int:
        """How many rows there are."""

    @abstractmethod
    def rows(self, start: int = 0) -> Iterator[Row]:
        """The rows from number `start` (from 0) on."""

    def identity(self) -> str:
        """Changes whenever the input, here one file, does."""
        return files_identity([self.path])


def files_identity(paths: Iterable[Path]) -> str:
    """Names, sizes and times of files, as one digest."""
    digest = sha256()
    for path in paths:
        status = path.stat()
        facts = f"{path.resolve()}\0{status.st_size}\0{status.st_mtime_ns}\0"
        digest.update(facts.encode("utf-8", "surrogateescape"))  # names need not be UTF-8
    return digest.hexdigest()


def unique_names(header: Sequence[Any]) -> list[str]:
    """Column names: empty ones are numbered, repeated ones told apart.

    Raises InputError if there are more columns than a spreadsheet has.
    """
    if len(header) > MAX_COLUMNS:
        raise InputError(f"Tệp có hơn {MAX_COLUMNS} cột.")
    names: dict[str, None] = {}
    copies: dict[str, int] = {}
    for number, cell in enumerate(header, 1):
        stem = "" if cell is None else str(cell).strip()
        name = stem = stem or f"cột {number}"
        while name in names:
            copies[stem] = copies.get(stem, 1) + 1
            name = f"{stem} ({copies[stem]})"
        names[name] = None
    return list(names)


def chunks_of(
    source: Source, start: int, read: frozenset[str] | None, end: int | None = None
) -> Iterator[list[Row]]:
    """Rows `start` to `end` in chunks of `CHUNK`, without the cells that no worker reads.

    Args:
        read: names of the columns that are read; None: all.
    """
    rows = islice(source.rows(start), None if end is None else end - start)
    while chunk := list(islice(rows, CHUNK)):
        if read is not None:
            chunk = [
                replace(row, fields={n: c for n, c in row.fields.items() if n in read})
                if row.document is None
                else row
                for row in chunk
            ]
        yield chunk
