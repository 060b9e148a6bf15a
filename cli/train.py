"""`chude train`: a new version from the labels in the store."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from cli.console import errors, output, reasons
from cli.models import show_comparison

STOPPED = 130  # exit status after Ctrl-C, as a shell has it
LOOK_EVERY = 0.5  # seconds


@contextmanager
def shown_progress() -> Iterator[None]:
    """A bar per stage of the training, in a terminal."""
    from training.retrain.state import RUNNING, read_state

    over = threading.Event()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())

    def watch(progress: Progress) -> None:
        stage, task = "", None
        while not over.wait(LOOK_EVERY):
            state = read_state()
            if state is None or state.state != RUNNING:
                continue
            if state.stage != stage:
                if task is not None:
                    progress.update(task, completed=1.0)
                stage, task = state.stage, progress.add_task(state.stage, total=1.0)
            if task is not None:
                progress.update(task, completed=state.share)

    with Progress(*columns, console=errors, disable=not errors.is_terminal) as progress:
        watcher = threading.Thread(target=watch, args=(progress,), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()


def train(
    quick: Annotated[
        bool, typer.Option("--quick", help="Giữ nguyên phần đọc hiểu, chỉ khớp phần kết luận.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Tinh chỉnh cả phần đọc hiểu; lâu hơn nhiều.")
    ] = False,
    unlabelled: Annotated[
        str | None,
        typer.Option(help="Bảng các bài chưa có nhãn (báo chí bất kỳ), để biết những gì khác."),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, max=50, help="Số vòng, cho --full.")] = 4,
    learning_rate: Annotated[float, typer.Option(min=1e-7, max=1e-2, help="Cho --full.")] = 5e-5,
) -> None:
    """Huấn luyện một mô hình mới từ kho nhãn; mô hình đang dùng chưa thay đổi.

    Cần chọn --quick hoặc --full. Bị ngắt khi đang chạy --full thì chạy lại đúng lệnh cũ để làm
    tiếp. Xong thì xem bằng `chude models compare` rồi `chude models promote`.
    """
    if quick == full:
        raise typer.BadParameter("chọn một trong hai", param_hint="--quick / --full")
    from training.retrain.candidate import FULL, QUICK
    from training.retrain.candidate import train as train_candidate
    from training.retrain.unlabelled import read_unlabelled

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings: dict[str, float] = {}
    if full:
        settings = {"epochs": epochs, "learning_rate": learning_rate}
    try:
        with reasons():
            others = read_unlabelled(unlabelled) if unlabelled else []
            with shown_progress():
                version = train_candidate(FULL if full else QUICK, others, settings)
    except KeyboardInterrupt as stop:
        errors.print("Đã dừng. Mô hình đang dùng không thay đổi.", style="yellow")
        raise typer.Exit(STOPPED) from stop
    output.print(f"Đã có mô hình '{version.name}'.", markup=False)
    show_comparison(version.record["comparison"])
    output.print("Dùng mô hình này: chude models promote latest")
