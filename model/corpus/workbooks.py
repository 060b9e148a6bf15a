"""Rows of Excel files."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from model.corpus.source import Row, Source, unique_names
from model.errors import InputError

# What openpyxl makes of a broken file; a broken XML is a SyntaxError.
BROKEN = (
    *(zipfile.BadZipFile, zlib.error, LookupError, TypeError, SyntaxError, EOFError, ValueError),
    *(RuntimeError, ArithmeticError, AttributeError),
)
MAX_SHEETS = 4 << 30  # bytes, unpacked
MAX_OTHERS = 512 << 20
MAX_ROWS = 1_048_576


@dataclass
class Workbook(Source):
    """The first sheet with content of an .xlsx file, its first row the header."""

    path: Path
    columns: list[str] = field(init=False)

    def __post_init__(self) -> None:
        """Find the header. Raises InputError if the file is no workbook or empty."""
        header = next(self._records(), None)
        if header is None:
            raise InputError("Tệp không có dòng nào.")
        cells = list(header[1])
        while cells and cells[-1] is None:
            cells.pop()
        self.columns = unique_names(cells)

    def _records(self) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Number and cells of every row with content."""
        import openpyxl

        try:
            with zipfile.ZipFile(self.path) as archive:
                sizes = {member.filename: member.file_size for member in archive.infolist()}
        except BROKEN as error:
            raise self._broken() from error
        # Sheets are read row by row, all other parts as a whole.
        sheets = sum(size for name, size in sizes.items() if name.startswith("xl/worksheets/"))
        if sheets > MAX_SHEETS or sum(sizes.values()) - sheets > MAX_OTHERS:
            raise InputError("Tệp .xlsx giải nén ra quá lớn. Hãy lưu thành .csv.")
        try:
            book = openpyxl.load_workbook(self.path, read_only=True, data_only=True)
        except BROKEN as error:
            raise self._broken() from error
        try:
            for sheet in book.worksheets:
                sheet.reset_dimensions()
                found = False
                for number, cells in enumerate(
                    sheet.iter_rows(max_row=MAX_ROWS, values_only=True), 1
                ):
                    if any(cell is not None for cell in cells):
                        found = True
                        yield number, cells
                if found:
                    return
        except BROKEN as error:
            raise self._broken() from error
        finally:
            book.close()

    def _broken(self) -> InputError:
        return InputError(
            f"Không đọc được '{self.path.name}' như tệp .xlsx. Hãy mở tệp bằng Excel rồi lưu lại; "
            "tệp có mật khẩu thì bỏ mật khẩu trước."
        )

    def count(self) -> int:
        """Rows with content below the header."""
        return sum(1 for _ in self._records()) - 1

    def rows(self, start: int = 0) -> Iterator[Row]:
        """Row by row, numbered as in the sheet."""
        width = len(self.columns)
        for number, cells in islice(self._records(), start + 1, None):
            padded = [*cells, *[None] * (width - len(cells))]
            error = None
            if any(cell is not None for cell in cells[width:]):
                error = f"có ô nằm ngoài {width} cột của tiêu đề."
            yield Row(number, dict(zip(self.columns, padded, strict=False)), error=error)
