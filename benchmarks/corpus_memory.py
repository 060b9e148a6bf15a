"""Memory of a run over a corpus, from a thousand rows to a million.

    python -m benchmarks.corpus_memory

Only one row in a thousand is an article, the others are too short to be read, so that a million
rows take minutes; each of them goes through the reader, the workers, the journal, the writer and
the report all the same.
"""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import typer

from model.corpus.columns import TextColumns
from model.corpus.local_engine import LocalEngine
from model.corpus.open_source import open_source
from model.corpus.run import run_corpus
from model.corpus.worker import Settings

logger = logging.getLogger(__name__)
SIZES = (1_000, 10_000, 100_000, 1_000_000)
SAMPLES = Path(__file__).parents[1] / "samples"
MEGABYTE = 1 << 20


def write_rows(path: Path, rows: int) -> None:
    """A CSV file in which every thousandth row is an article."""
    article = next(SAMPLES.glob("*.txt")).read_text("utf-8").replace("\n", " ").replace('"', "'")
    with path.open("w", encoding="utf-8") as file:
        file.write("id,text,note\n")
        for number in range(rows):
            text = article if number % 1_000 == 0 else "một dòng quá ngắn"
            file.write(f'{number},"{text}",ghi chú của dòng {number}\n')


def peak_memory(run: Callable[[], object]) -> tuple[float, float]:
    """Highest resident memory of this process and of all its children together, in megabytes."""
    peaks = [0.0, 0.0]
    ended = threading.Event()
    own = psutil.Process()

    def watch() -> None:
        while not ended.wait(0.2):
            peaks[0] = max(peaks[0], own.memory_info().rss / MEGABYTE)
            total = 0
            for child in own.children(recursive=True):
                try:
                    total += child.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            peaks[1] = max(peaks[1], total / MEGABYTE)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        run()
    finally:
        ended.set()
        watcher.join()
    return peaks[0], peaks[1]


def main() -> None:
    """Log the peak memory for every size."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings = Settings(columns=TextColumns(id="id", text="text"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for rows in SIZES:
            write_rows(folder / "in.csv", rows)
            source = open_source(str(folder / "in.csv"))
            begin = time.perf_counter()
            main_peak, workers_peak = peak_memory(
                lambda source=source: run_corpus(  # type: ignore[misc]
                    source,
                    folder / "out.csv",
                    settings,
                    LocalEngine(settings, 2),
                    folder / "report",
                )
            )
            logger.info(
                "%9d rows: %4.0f MB, workers together %4.0f MB, %.0f s",
                *(rows, main_peak, workers_peak, time.perf_counter() - begin),
            )


if __name__ == "__main__":
    typer.run(main)
