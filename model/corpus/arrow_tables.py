"""Rows of Parquet files, here or in an object storage, and of saved Hugging Face datasets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from model.corpus.source import Row, Source
from model.errors import InputError

BUFFER = 1 << 20  # bytes
ARROW_ROWS = 256  # rows that are unpacked at once


@contextmanager
def opened(path: str) -> Iterator[pq.ParquetFile | pa.RecordBatchStreamReader]:
    """A file's reader. Whatever address `fsspec` knows will do."""
    with fsspec.open(path, "rb") as file:
        if path.endswith(".arrow"):
            with pa.ipc.open_stream(file) as reader:
                yield reader
        else:
            # Read piece by piece: a row group may be as large as the file.
            with pq.ParquetFile(file, pre_buffer=False, buffer_size=BUFFER) as table:
                yield table


@dataclass
class ArrowTables(Source):
    """Parquet files, or the Arrow files of a dataset that `datasets` has saved, in that order.

    Args:
        paths: local paths or addresses.
    """

    paths: list[str]
    schema: pa.Schema = field(init=False)
    columns: list[str] = field(init=False)
    sizes: list[int] = field(init=False)  # rows of each file
    seekable = True

    def __post_init__(self) -> None:
        """Read types and sizes. Raises InputError if a file is broken."""
        schemas: list[pa.Schema] = []
        self.sizes = []
        try:
            for path in self.paths:
                with opened(path) as file:
                    if isinstance(file, pq.ParquetFile):
                        schemas.append(file.schema_arrow)
                        self.sizes.append(file.metadata.num_rows)
                    else:
                        schemas.append(file.schema)
                        self.sizes.append(sum(batch.num_rows for batch in file))
        except (OSError, ValueError, ImportError) as error:
            raise InputError(f"Tệp bị hỏng hoặc không đúng định dạng: {error}.") from error
        if any(schema.names != schemas[0].names for schema in schemas):
            raise InputError("Các tệp không có cùng các cột.")
        try:
            self.schema = pa.unify_schemas(schemas, promote_options="permissive")
        except pa.ArrowException as error:
            raise InputError("Các tệp không có cùng kiểu cột.") from error
        self.columns = list(self.schema.names)
        if len(set(self.columns)) < len(self.columns):
            raise InputError("Tệp có hai cột trùng tên.")

    def count(self) -> int:
        """Rows of all files."""
        return sum(self.sizes)

    def identity(self) -> str:
        """Of the files: what their storage says of size, time and content."""
        digest = sha256()
        for path in self.paths:
            system, name = fsspec.core.url_to_fs(path)
            facts = system.info(name)
            known = [facts.get(key) for key in ("size", "mtime", "ETag", "LastModified", "updated")]
            digest.update(f"{path}\0{known}\0".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def rows(self, start: int = 0) -> Iterator[Row]:
        """Row by row, numbered from 1."""
        number = 0
        for path, size in zip(self.paths, self.sizes, strict=True):
            skip = min(max(0, start - number), size)
            number += skip
            if skip == size:
                continue
            for record in records(path, skip):
                number += 1
                if record is None:
                    yield Row(number, {}, error="có ô không đọc được.")
                else:
                    yield Row(number, record)


def to_records(rows: pa.RecordBatch) -> Iterator[dict[str, Any] | None]:
    """Rows as dictionaries; None for one with a cell that Python cannot hold."""
    try:
        yield from rows.to_pylist()
    except (ValueError, ArithmeticError):
        for index in range(rows.num_rows):
            try:
                yield rows.slice(index, 1).to_pylist()[0]
            except (ValueError, ArithmeticError):
                yield None


def records(path: str, skip: int) -> Iterator[dict[str, Any] | None]:
    """The rows of a file from number `skip` on, as `to_records` gives them."""
    with opened(path) as file:
        if isinstance(file, pq.ParquetFile):
            groups = list(range(file.num_row_groups))
            while groups and skip >= (rows := file.metadata.row_group(groups[0]).num_rows):
                skip -= rows
                groups.pop(0)
            batches = file.iter_batches(ARROW_ROWS, groups)
        else:
            batches = iter(file)
        for batch in batches:
            for first in range(min(skip, batch.num_rows), batch.num_rows, ARROW_ROWS):
                yield from to_records(batch.slice(first, ARROW_ROWS))
            skip = max(0, skip - batch.num_rows)
