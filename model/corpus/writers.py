"""Where rows go: JSON Lines, CSV, Excel, Parquet. A file is complete or not there at all."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from model.corpus.columns import columns_of
from model.corpus.results import (
    ERROR,
    LINE,
    as_text,
    flatten,
    json_default,
    json_keys,
    keep_apart,
)
from model.corpus.source import FILE, Row, Source, unique_names
from model.files import complete_file

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = (".jsonl", ".csv", ".tsv", ".xlsx", ".parquet")
SHEET_ROWS = 1_048_576
EXACT = 10**15  # the digits that Excel keeps of a number
NO_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")
SHEET_CELL = 32_767  # characters; Excel calls a file with more in a cell damaged
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # the wide ones too
WIDE, HUGE = "wide", "huge"
PARQUET_ROWS = 1_000  # of a row group

Results = Iterable[tuple[Row, dict[str, Any]]]


class Writer(Protocol):
    """Writes rows with their results to a file."""

    def __call__(self, path: Path, source: Source, results: Results, added: list[str]) -> None:
        """Write all of them; `added` are the columns of `result_columns`."""
        ...


def is_formula(text: str) -> bool:
    """Would a spreadsheet run it? A number with a sign is none."""
    if not text.strip().startswith(FORMULA):
        return False
    try:
        float(text.replace(",", "."))
    except ValueError:
        return True
    return False


def harmless(cell: Any) -> Any:
    """A cell for CSV that no spreadsheet takes for a formula: an apostrophe in front."""
    cell = as_text(cell)
    return f"'{cell}" if isinstance(cell, str) and is_formula(cell) else cell


def as_it_was(cell: Any) -> Any:
    """What `harmless` was given."""
    if isinstance(cell, str) and cell.startswith("'") and is_formula(cell[1:]):
        return cell[1:]
    return cell


def table_columns(source: Source, added: Sequence[str]) -> list[str]:
    """The input's columns as the output calls them; of JSON Lines, those of all its rows."""
    names = source.columns
    if names is None:
        names = list(dict.fromkeys(n for row in source.rows() for n in row.fields))
    return list(keep_apart(dict.fromkeys(names), added))


def table_rows(results: Results, added: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Every row as one dictionary of cells."""
    for row, result in results:
        yield keep_apart(row.fields, added) | flatten(result)


def write_jsonl(path: Path, source: Source, results: Results, added: list[str]) -> None:
    """One object per row: its own fields, `id`, and the result with nothing flattened."""
    ours = json_keys(added)
    # Half a character (a lone surrogate) goes out as it came in: "\\ud83d".
    with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
        for row, result in results:
            fields = keep_apart(row.fields, ours)
            if "id" not in fields:
                name = FILE if source.has_documents else columns_of(tuple(row.fields)).id
                fields = {"id": row.fields.get(name or "")} | fields
            if ERROR in result:
                result = {LINE: row.number} | result
            file.write(json.dumps(fields | result, ensure_ascii=False, default=json_default) + "\n")


def write_delimited(path: Path, source: Source, results: Results, added: list[str]) -> None:
    """Comma or tabulator between cells, with the mark by which Excel knows UTF-8."""
    columns = [*table_columns(source, added), *added]
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    with path.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(map(harmless, columns))
        for cells in table_rows(results, added):
            writer.writerow([harmless(cells.get(name)) for name in columns])


def write_workbook(path: Path, source: Source, results: Results, added: list[str]) -> None:
    """One sheet, its header fixed; every text is a text, whatever it begins with."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Kết quả")
    sheet.freeze_panes = "A2"
    columns = [*table_columns(source, added), *added]

    def cell(value: Any) -> WriteOnlyCell:
        value = as_text(value)
        if isinstance(value, datetime) and value.tzinfo is not None:
            value = value.isoformat()
        if not isinstance(value, (str, int, float, datetime, date, type(None))):
            value = json_default(value)
        if isinstance(value, int) and abs(value) > EXACT:
            value = str(value)  # a number is rounded: of an id's digits the last would be lost
        if not isinstance(value, str):
            return WriteOnlyCell(sheet, value)
        value = NO_XML.sub("", ILLEGAL_CHARACTERS_RE.sub("", value))
        if len(value) > SHEET_CELL:
            value = value[: SHEET_CELL - 1] + "…"
        written = WriteOnlyCell(sheet, value)
        written.data_type = "s"  # and not "f", a formula
        return written

    sheet.append([cell(name) for name in columns])
    for cells in table_rows(results, added):
        sheet.append([cell(cells.get(name)) for name in columns])
    book.save(path)


def write_parquet(path: Path, source: Source, results: Results, added: list[str]) -> None:
    """The input's types where it has any; the themes as a list, the scores as numbers."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    own = table_columns(source, added)
    names = [*own, *added]
    kinds = [*own_types(source), *(added_type(name) for name in added)]
    safe = unique_names([whole(name) for name in names])
    schema = pa.schema(list(zip(safe, kinds, strict=True)))
    texts = {name for name, kind in zip(names, kinds, strict=True) if pa.types.is_string(kind)}

    def convert(name: str, cell: Any) -> Any:
        if name not in texts or cell is None:
            return cell
        cell = as_text(cell)
        text = cell if isinstance(cell, str) else json_default(cell)
        return whole(text)

    with pq.ParquetWriter(path, schema) as writer:
        rows: list[dict[str, Any]] = []

        def flush() -> None:
            writer.write_table(pa.Table.from_pylist(rows, schema))
            rows.clear()

        for cells in table_rows(results, added):
            converted = [convert(name, cells.get(name)) for name in names]
            rows.append(dict(zip(safe, converted, strict=True)))
            if len(rows) == PARQUET_ROWS:
                flush()
        flush()


def kind_of(cell: Any) -> Any:
    """The type of a cell; whole numbers that no float, or no 64 bits, hold are of their own."""
    if type(cell) is not int or abs(cell) <= 2**53:
        return type(cell)
    return WIDE if abs(cell) < 2**63 else HUGE


def added_type(name: str) -> pa.DataType:
    """The Arrow type of one of our columns."""
    import pyarrow as pa

    if name.startswith("score_"):
        return pa.float64()
    return pa.list_(pa.string()) if name == "themes" else pa.string()


def own_types(source: Source) -> list[pa.DataType]:
    """Arrow types of the input's columns; without a schema, by what their cells are."""
    import pyarrow as pa

    if source.schema is not None:
        types = source.schema.types
        return [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in types]
    kinds: dict[str, set[Any]] = {name: set() for name in source.columns or ()}
    for row in source.rows():
        for name, cell in row.fields.items():
            kinds.setdefault(name, set()).update([kind_of(cell)] if cell is not None else [])
    by_kind = {
        frozenset([bool]): pa.bool_(),
        frozenset([int]): pa.int64(),
        frozenset([WIDE]): pa.int64(),
        frozenset([int, WIDE]): pa.int64(),
        frozenset([float]): pa.float64(),
        frozenset([int, float]): pa.float64(),
        frozenset([datetime]): pa.timestamp("us"),
    }
    return [by_kind.get(frozenset(found), pa.string()) for found in kinds.values()]


def whole(text: str) -> str:
    """A text without halves of characters, which UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


WRITERS: dict[str, Writer] = {
    ".jsonl": write_jsonl,
    ".csv": write_delimited,
    ".tsv": write_delimited,
    ".xlsx": write_workbook,
    ".parquet": write_parquet,
}


def write_results(output: Path, source: Source, results: Results, added: list[str]) -> None:
    """Write all rows to `output`, in the form that its ending names.

    Raises OSError if the disk does not take them, InputError if the form does not.
    """
    with complete_file(output) as path:
        WRITERS[output.suffix.lower()](path, source, results, added)
