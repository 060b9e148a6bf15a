"""Rows through Ray Data, on this machine or a cluster. Needs the extra `cluster`."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing leaves the building

import pyarrow as pa
import ray
from ray.data import DataContext, Datasource, read_datasource
from ray.data.block import BlockMetadata
from ray.data.datasource import ReadTask

from model.corpus.source import CHUNK, Row, Source, chunks_of
from model.corpus.worker import Settings, Worker
from model.errors import InputError

TASK_ROWS = 4_096  # that one task reads, where a source can be read from anywhere
BLOCK_BYTES = 256 << 10
SCHEMA = pa.schema(
    [
        ("number", pa.int64()),
        ("fields", pa.string()),  # JSON
        ("document", pa.binary()),
        ("error", pa.string()),
    ]
)


def to_block(rows: list[Row]) -> pa.Table:
    """A chunk of rows as Ray carries it."""

    def content(row: Row) -> tuple[bytes | None, str | None]:
        try:
            return row.document() if row.document else None, row.error
        except (InputError, OSError) as error:
            return b"", str(error)

    contents = map(content, rows)
    records = [
        {
            "number": row.number,
            "fields": json.dumps(row.fields, default=str),
            "document": document,
            "error": error,
        }
        for row, (document, error) in zip(rows, contents, strict=True)
    ]
    return pa.Table.from_pylist(records, SCHEMA)


def to_rows(block: pa.Table) -> list[Row]:
    """The rows of a block."""
    return [
        Row(
            r["number"],
            json.loads(r["fields"]),
            None if r["document"] is None else partial(bytes, r["document"]),
            r["error"],
        )
        for r in block.to_pylist()
    ]


class RowSource(Datasource):
    """A `Source` as Ray Data reads it: in parts where that is cheap, else as one stream.

    Args:
        source: the rows. start: number of the first, from 0. read: see `chunks_of`.
    """

    def __init__(self, source: Source, start: int, read: frozenset[str] | None) -> None:
        self.source, self.start, self.read = source, start, read
        self.total = source.count()
        self.step = TASK_ROWS if source.seekable else max(1, self.total - start)

    def count(self) -> int:
        """How many read tasks there are."""
        return math.ceil((self.total - self.start) / self.step)

    def estimate_inmemory_data_size(self) -> int | None:
        """Not known before it is read."""
        return None

    def get_read_tasks(
        self, parallelism: int, per_task_row_limit: int | None = None, *args: Any, **kwargs: Any
    ) -> list[ReadTask]:
        """One task for every `TASK_ROWS` rows, in their order."""
        source, read, total, step = self.source, self.read, self.total, self.step

        def reader(first: int, last: int) -> Callable[[], Iterator[pa.Table]]:
            return lambda: map(to_block, chunks_of(source, first, read, last))

        return [
            ReadTask(
                reader(first, min(first + step, total)),
                BlockMetadata(min(step, total - first), None, None, input_files=None),
                schema=SCHEMA,
            )
            for first in range(self.start, total, step)
        ]


class RayWorker:
    """A `Worker` in an actor, with one thread for each processor it has been given."""

    def __init__(self, settings: Settings) -> None:
        import torch

        torch.set_num_threads(1)
        self.worker = Worker(settings)

    def __call__(self, block: pa.Table) -> pa.Table:
        """The results of a block, a JSON string each."""
        results = self.worker(to_rows(block))
        return pa.table({"result": [json.dumps(r, ensure_ascii=False) for r in results]})


class RayEngine:
    """A Ray Data pipeline: read tasks, one model per actor, results in the order of the rows.

    Args:
        settings: what the workers do.
        workers: number of actors.
        address: of a cluster; None: Ray is started here, for this run.
    """

    def __init__(self, settings: Settings, workers: int, address: str | None = None) -> None:
        self.settings, self.workers, self.address = settings, workers, address

    def results(self, source: Source, start: int) -> Iterator[list[dict[str, Any]]]:
        """The results of the rows from number `start` on, chunk by chunk."""
        if self.address is None:
            ray.init(
                num_cpus=self.workers,
                include_dashboard=False,
                log_to_driver=False,
                configure_logging=False,
            )
        else:
            ray.init(self.address, log_to_driver=False)
        try:
            context = DataContext.get_current()
            context.execution_options.preserve_order = True
            context.enable_progress_bars = False
            # A stream of rows in many small blocks, so that every actor gets some of it.
            context.target_max_block_size = BLOCK_BYTES
            columns = self.settings.columns
            read = frozenset(columns.read) if columns is not None else None
            tasks = RowSource(source, start, read)
            # The readers wait for the models most of the time, so they reserve no processor.
            rows = read_datasource(tasks, num_cpus=0, override_num_blocks=tasks.count())
            found = rows.map_batches(
                RayWorker,
                fn_constructor_args=(self.settings,),
                batch_size=CHUNK,
                batch_format="pyarrow",
                concurrency=self.workers,
                num_cpus=1,
            )
            for batch in found.iter_batches(batch_size=CHUNK, batch_format="pyarrow"):
                yield [json.loads(result) for result in batch["result"].to_pylist()]
        finally:
            ray.shutdown()
