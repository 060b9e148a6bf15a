"""Files that are complete or not there at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def complete_file(output: Path) -> Iterator[Path]:
    """A path to write to, which takes the name of `output` when all has gone well.

    Raises OSError and leaves a previous output as it was.
    """
    # A fixed name, so that the next run removes what a killed one has left.
    partial = output.with_name(f".{output.stem}.unfinished{output.suffix}")
    partial.unlink(missing_ok=True)
    try:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(output)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file; whoever reads it meanwhile sees the old one or the new one.

    Raises OSError and leaves the old file as it was.
    """
    with complete_file(path) as unfinished:
        unfinished.write_text(json.dumps(value, ensure_ascii=False, indent=1), "utf-8")
