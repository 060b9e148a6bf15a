"""A run over a corpus from the command line: checks, progress, and what is said at its end."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import typer
from rich.console import Console

from model.corpus.columns import TextColumns, find_columns
from model.corpus.local_engine import LocalEngine, Stopped
from model.corpus.open_source import open_source
from model.corpus.run import Engine, check_output, run_corpus
from model.corpus.source import Source
from model.corpus.terminal_progress import ProgressView
from model.corpus.worker import Settings
from model.errors import InputError

logger = logging.getLogger(__name__)
SHOWN_FAILURES = 20
FEW_ROWS = 100  # not worth the start of worker processes
STOPPED = 130  # exit status after Ctrl-C, as a shell has it


def find_text(source: Source, chosen: Sequence[str]) -> TextColumns | None:
    """The columns to read; None where every row is to be looked at by itself.

    Raises InputError if there are none.
    """
    if source.columns is None:
        return find_columns(chosen, chosen) if chosen else None
    columns = find_columns(source.columns, chosen)
    if not (columns.has_text or source.has_documents):
        raise InputError(
            "Không nhận ra cột nào chứa bài viết trong các cột "
            + ", ".join(f"'{name}'" for name in source.columns)
            + ". Hãy chỉ ra bằng --text-column."
        )
    return columns


def make_engine(
    name: str, settings: Settings, source: Source, workers: int | None, address: str | None
) -> Engine:
    """The engine of that name. Raises InputError if it is not installed."""
    cores = os.cpu_count() or 1
    if name == "ray":
        try:
            from model.corpus.ray_engine import RayEngine
        except ImportError as error:
            raise InputError(
                "Chưa cài Ray. Hãy cài phần mở rộng: pip install 'chude[cluster]'."
            ) from error
        return RayEngine(settings, workers or cores, address)
    if workers is None:
        workers = 0 if source.count() <= FEW_ROWS else cores
    return LocalEngine(settings, workers)


def run_command(
    name: str,
    input_name: str,
    output: Path,
    settings: Settings,
    console: Console,
    text_columns: Sequence[str] = (),
    report: Path | None = None,
    workers: int | None = None,
    engine: str = "local",
    address: str | None = None,
) -> None:
    """Run it with a progress bar.

    Raises:
        InputError: the input or the output cannot be used, or rows could not be worked on.
        typer.Exit: the user has stopped it.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        source = open_source(input_name)
        check_output(input_name, output)
        settings = replace(settings, columns=find_text(source, text_columns))
        worker = make_engine(engine, settings, source, workers, address)
        with ProgressView(name, console) as view:
            found = run_corpus(source, output, settings, worker, report, view.show)
    except (KeyboardInterrupt, Stopped) as stop:
        console.print(
            "Đã dừng; những dòng đã xong được giữ lại. Chạy lại đúng lệnh này để làm tiếp.",
            style="yellow",
        )
        raise typer.Exit(STOPPED) from stop
    except OSError as error:
        raise InputError(
            f"Không đọc hoặc ghi được: {error.strerror or error}. Kết quả cũ còn nguyên; khi đã "
            "khắc phục, chạy lại đúng lệnh này để làm tiếp."
        ) from error
    for failure in found.failures[:SHOWN_FAILURES]:
        console.print(failure, markup=False, style="yellow")
    if found.failed:
        raise InputError(
            f"{found.failed}/{found.rows} dòng không xử lý được; các dòng khác đã ghi."
        )
