"""What is done so far, on disk: a run that was killed goes on behind the last whole line."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock, Timeout

from model.corpus.source import CHUNK
from model.errors import InputError

MARK_LENGTH = 12
MARK = "[0-9a-f]" * MARK_LENGTH  # of a journal, in its name


class Journal:
    """The results of a run in the order of its rows, one JSON line each, beside the output.

    A line is written once and never changed. What a killed process or a power failure left of
    the last lines is cut off when the journal is opened again.

    Args:
        output: the file that the run will write.
        fingerprint: of the input, the settings and the model; a run goes on only with its own.
    """

    def __init__(self, output: Path, fingerprint: str) -> None:
        self.output = output
        self.path = output.with_name(f".{output.name}.{fingerprint[:MARK_LENGTH]}.partial")
        self.lock = FileLock(output.with_name(f".{output.name}.lock"), timeout=0)
        self.done = 0
        self.failures = 0

    def __enter__(self) -> Journal:
        """Lock the output, cut off a torn end, count what is done.

        Raises InputError if another run writes the same output, OSError if the place is closed.
        """
        self.file = self.path.open("ab+")  # first, since it says best why a place is closed
        try:
            self.lock.acquire()
        except Timeout as error:
            self.file.close()
            raise InputError(f"Một lần chạy khác đang ghi '{self.output}'.") from error
        except BaseException:
            self.file.close()
            raise
        self._cut_torn_end()
        return self

    def _cut_torn_end(self) -> None:
        """Cut behind the last whole chunk, so that the next ones are those of an unbroken run."""
        self.file.seek(0)
        offset = failures = end = 0
        for number, line in enumerate(self.file, 1):
            try:
                record = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:  # zeros, where a power failure took the blocks
                record = None
            if not isinstance(record, dict):
                break
            offset += len(line)
            failures += "error" in record
            if number % CHUNK == 0:
                end, self.done, self.failures = offset, number, failures
        self.file.truncate(end)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close; the file stays for the next run."""
        try:
            self.file.close()  # on a full disk what is left to write fails once more
        finally:
            if not self.done:
                self.path.unlink(missing_ok=True)
            # Under the lock: who waits for it sees that the file is gone, and makes another.
            Path(self.lock.lock_file).unlink(missing_ok=True)
            self.lock.release()

    def append(self, results: Sequence[dict[str, Any]]) -> None:
        """Add results and see to it that they are on the disk. Raises OSError."""
        lines = [json.dumps(result, ensure_ascii=False) + "\n" for result in results]
        self.file.write("".join(lines).encode("utf-8", "backslashreplace"))
        self.file.flush()
        os.fsync(self.file.fileno())
        self.done += len(results)
        self.failures += sum("error" in result for result in results)

    def results(self) -> Iterator[dict[str, Any]]:
        """All results from the first."""
        with self.path.open("rb") as lines:
            for line in lines:
                yield json.loads(line)

    def remove(self) -> None:
        """Remove it, and those of runs to the same output that were never finished."""
        for path in self.path.parent.glob(f".{glob.escape(self.output.name)}.{MARK}.partial"):
            path.unlink(missing_ok=True)
