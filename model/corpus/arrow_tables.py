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

ARROW_ROWS = 256  # rows that are unpacked at once


@contextmanager
def opened(path: str) -> Iterator[pq.ParquetFile | pa.RecordBatchStreamReader]:
    """A file's reader. Whatever address `fsspec` knows will do."""
    with fsspec.open(path, "rb") as file:
        if path.endswith(".arrow"):
            with pa.ipc.open_stream(file) as reader:
                yield reader
        else:
            with pq.ParquetFile(file) as table:
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
        self.schema = schemas[0]
        self.columns = list(self.schema.names)
        if any(schema.names != self.columns for schema in schemas):
            raise InputError("Các tệp không có cùng các cột.")

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
            digest.update(f"{path}\0{known}\0".encode())
        return digest.hexdigest()

    def rows(self, start: int = 0, contents: bool = True) -> Iterator[Row]:
        """Row by row, numbered from 1."""
        number = 0
        for path, size in zip(self.paths, self.sizes, strict=True):
            skip = min(max(0, start - number), size)
            number += skip
            if skip == size:
                continue
            for record in records(path, skip):
                number += 1
                yield Row(number, record)


def records(path: str, skip: int) -> Iterator[dict[str, Any]]:
    """The rows of a file from number `skip` on."""
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
                yield from batch.slice(first, ARROW_ROWS).to_pylist()
            skip = max(0, skip - batch.num_rows)
