"""A corpus from its input to its output: read, work, remember, write."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from model.classifier import read_themes
from model.corpus.journal import Journal
from model.corpus.progress import Progress
from model.corpus.report import Report
from model.corpus.results import result_columns
from model.corpus.source import Row, Source, files_identity
from model.corpus.worker import Settings
from model.corpus.writers import SHEET_ROWS, SUFFIXES, write_results
from model.errors import InputError
from model.files import complete_file

CHANGED = "Tệp đầu vào đã thay đổi trong lúc chạy. Hãy chạy lại."


class Engine(Protocol):
    """Does the work, wherever."""

    def results(self, source: Source, start: int) -> Iterator[list[dict[str, Any]]]:
        """The results of the rows from number `start` (from 0) on, in order, some at a time."""
        ...


def check_output(source: str, output: Path) -> None:
    """Raises InputError if the output cannot be written where and as it is asked for."""
    if output.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"Không ghi được dạng '{output.suffix}'. Các dạng kết quả: {', '.join(SUFFIXES)}."
        )
    if not output.parent.is_dir():
        raise InputError(f"Không có thư mục '{output.parent}' để ghi kết quả.")
    if output.exists() and not output.is_file():
        raise InputError(f"'{output}' không phải tệp thường, không ghi kết quả vào đó được.")
    if Path(source).is_dir() and output.resolve().is_relative_to(Path(source).resolve()):
        raise InputError("Tệp kết quả nằm trong thư mục đầu vào. Hãy chọn chỗ khác.")
    if output.exists() and Path(source).exists() and output.samefile(source):
        raise InputError("Tệp kết quả trùng với tệp đầu vào. Hãy chọn tên khác.")


def fingerprint(source: Source, settings: Settings) -> str:
    """Of everything that a result depends on: input, settings, weights."""
    folders = [Path(settings.checkpoint)] if settings.classify else []
    folders += [Path(settings.writer)] if settings.writer else []
    weights = [p for folder in folders for p in sorted(folder.glob("*")) if p.is_file()]
    parts = [source.identity(), repr(sorted(asdict(settings).items())), files_identity(weights)]
    return sha256("\0".join(parts).encode()).hexdigest()


def run_corpus(
    source: Source,
    output: Path,
    settings: Settings,
    engine: Engine,
    report: Path | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Report:
    """Work on every row and write the output; goes on where the same run was stopped.

    Args:
        source: the rows.
        output: file to write; its ending names the form.
        settings: what is to be done.
        engine: does it.
        report: folder for an HTML page about the results.
        on_progress: called after every chunk.

    Returns:
        What there is to report.

    Raises:
        Stopped: by the engine, on the user's wish; what is done is kept.
        InputError: output locked by another run, input changed meanwhile, form unfit.
        OSError: a disk is full or closed; a previous output is as it was.
    """
    total = source.count()
    if not total:
        raise InputError("Đầu vào không có dòng nào.")
    if output.suffix.lower() == ".xlsx" and total >= SHEET_ROWS:
        raise InputError(
            f"Excel chỉ chứa được {SHEET_ROWS} dòng. Hãy ghi kết quả ra .csv hoặc .parquet."
        )
    if report is not None:
        report.mkdir(parents=True, exist_ok=True)
    mark = fingerprint(source, settings)
    with Journal(output, mark) as journal:
        start, before = time.monotonic(), journal.done

        def progress() -> Progress:
            seconds = time.monotonic() - start
            rate = (journal.done - before) / seconds if journal.done > before else 0.0
            return Progress(journal.done, max(total, journal.done), journal.failures, rate)

        on_progress(progress())
        if journal.done < total:
            for results in engine.results(source, journal.done):
                journal.append(results)
                on_progress(progress())
        if journal.done < total or fingerprint(source, settings) != mark:
            raise InputError(CHANGED)
        found = finish(source, output, settings, journal, report)
        journal.remove()
        return found


def finish(
    source: Source, output: Path, settings: Settings, journal: Journal, report: Path | None
) -> Report:
    """Put rows and results together into the output, and gather what there is to report."""
    themes = read_themes(settings.checkpoint) if settings.classify else {}
    added = result_columns(list(themes), settings.summarize)
    found = Report(themes, settings.columns)

    def joined() -> Iterator[tuple[Row, dict[str, Any]]]:
        results = journal.results()
        for row in source.rows():
            if (result := next(results, None)) is None:
                raise InputError(CHANGED)
            found.add(row, result)
            yield row, result
        if next(results, None) is not None:
            raise InputError(CHANGED)

    write_results(output, source, joined(), added)
    if report is not None:
        with complete_file(report / "index.html") as path:
            path.write_text(found.render(), "utf-8", "replace")
    return found
