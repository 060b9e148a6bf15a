"""The tab where a file is dropped: its columns, progress, the table, a chart, the result."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import gradio as gr

from model.classifier import read_themes
from model.corpus.columns import TextColumns, chosen_columns, find_columns
from model.corpus.open_source import SUFFIXES, open_source
from model.corpus.source import Source
from model.corpus.worker import Settings
from model.errors import InputError
from model.numbers import number
from page.corpus_job import CorpusJob
from page.corpus_view import render_progress, render_result, render_table
from page.messages import file_error, render_error, render_status

MAX_MEGABYTES = 200
MAX_ROWS = 20_000
PREVIEW_ROWS = 5
FORMATS = {"Excel (.xlsx)": ".xlsx", "CSV": ".csv", "JSON Lines": ".jsonl", "Parquet": ".parquet"}
NONE = "(không có)"
LIMITS = (
    f"Nhận tệp {', '.join(SUFFIXES)} (tệp .zip chứa .txt, .html, .docx, .pdf), tối đa "
    f"**{MAX_MEGABYTES} MB** và **{number(MAX_ROWS)} dòng**. Nhiều hơn thì chia nhỏ tệp, hoặc nhờ "
    "người quản trị chạy lệnh `chude classify`. Mọi cột của tệp được giữ nguyên trong kết quả."
)
# One core for those who paste an article meanwhile.
WORKERS = max(1, (os.cpu_count() or 1) - 1)

Updates = dict[Any, Any]


class CorpusSession:
    """What one visitor does on the tab.

    Attributes:
        job: the run, None before the first.
        folder: holds the results of the visit; a run that was stopped goes on from there.
    """

    def __init__(self) -> None:
        self.job: CorpusJob | None = None
        self.folder = tempfile.TemporaryDirectory(prefix="chude-")

    def begin(self, source: Source, settings: Settings, suffix: str) -> CorpusJob:
        """Start a job, after the one before has ended."""
        if self.job is not None:
            self.job.stop()
            self.job.wait()
        output = Path(self.folder.name) / f"ket-qua{suffix}"
        self.job = CorpusJob(source, output, settings, WORKERS)
        self.job.start()
        return self.job

    def close(self) -> None:
        """Stop and remove the results."""
        if self.job is not None:
            self.job.stop()
            self.job.wait()
        self.folder.cleanup()


def column_names(source: Source) -> list[str]:
    """The columns of a table; of JSON Lines those of its first rows."""
    if source.columns is not None:
        return source.columns
    rows = islice(source.rows(), 100)
    return list(dict.fromkeys(name for row in rows for name in row.fields))


def open_upload(path: str) -> tuple[Source, int]:
    """An uploaded file and its rows. Raises InputError if it is none, or too long."""
    source = open_source(path)
    rows = source.count()
    if rows > MAX_ROWS:
        raise InputError(
            f"Tệp có {number(rows)} dòng, trang chỉ nhận {number(MAX_ROWS)}. Hãy chia nhỏ tệp, "
            "hoặc nhờ người quản trị chạy lệnh chude classify."
        )
    if not rows:
        raise InputError("Tệp không có dòng nào.")
    return source, rows


def preview(path: str) -> tuple[str, TextColumns | None, list[str]]:
    """The first rows as HTML, the columns found (None for documents), and all columns."""
    source, count = open_upload(path)
    names = column_names(source)
    rows = [row.fields for row in islice(source.rows(), PREVIEW_ROWS)]
    unit = "tài liệu" if source.has_documents else "dòng"
    table = render_table(
        f"{number(count)} {unit}; {unit} đầu tiên",
        names,
        [[row.get(n) for n in names] for row in rows],
    )
    return table, None if source.has_documents else find_columns(names), names


def settings_of(source: Source, title: str, lead: str, text: str, summarize: bool) -> Settings:
    """What is to be done. Raises InputError if no column is chosen."""
    if source.has_documents:
        return Settings(summarize=summarize)
    names = column_names(source)
    picked = (name if name in names else None for name in (title, lead, text))
    return Settings(summarize=summarize, columns=chosen_columns(names, *picked))


def build_corpus_tab() -> None:
    """The tab, from top to bottom."""
    session = gr.State(CorpusSession, delete_callback=CorpusSession.close)
    gr.Markdown(LIMITS)
    upload = gr.File(label="Tệp", type="filepath", height=120, elem_id="corpus-file")
    first_rows = gr.HTML()
    with gr.Column(visible=False) as options:
        with gr.Row():
            title = gr.Dropdown(label="Cột tiêu đề", elem_id="corpus-title")
            lead = gr.Dropdown(label="Cột đoạn mở đầu (sapo)", elem_id="corpus-lead")
            text = gr.Dropdown(label="Cột nội dung", elem_id="corpus-text")
        with gr.Row():
            form = gr.Radio(list(FORMATS), value=next(iter(FORMATS)), label="Định dạng tệp kết quả")
            summarize = gr.Checkbox(label="Thêm tóm tắt", value=False)
    with gr.Row():
        halt = gr.Button("Dừng", variant="stop", visible=False, scale=1, elem_id="corpus-stop")
        start = gr.Button(
            "Phân loại cả tệp",
            variant="primary",
            interactive=False,
            scale=3,
            elem_id="corpus-start",
        )
    progress = gr.HTML(elem_id="corpus-progress")
    files = gr.File(
        label="Tải kết quả và báo cáo",
        visible=False,
        interactive=False,
        file_count="multiple",
        elem_id="corpus-result",
    )
    result = gr.HTML(elem_id="corpus-table")

    def recognise(path: str | None) -> Updates:
        """What a new file shows: its columns, to be changed, and no result of another file."""
        updates: Updates = {
            first_rows: "",
            options: gr.update(visible=False),
            start: gr.update(interactive=False),
            progress: "",
            result: "",
            files: gr.update(visible=False, value=None),
        }
        if path is None:
            return updates
        try:
            updates[first_rows], found, names = preview(path)
        except InputError as error:
            return updates | {first_rows: render_error(str(error))}
        except OSError as error:
            return updates | {first_rows: render_error(file_error(error))}
        updates |= {options: gr.update(visible=True), start: gr.update(interactive=True)}
        if found is None:
            return updates | {box: gr.update(visible=False) for box in (title, lead, text)}
        chosen = {title: found.title, lead: found.lead, text: found.text or found.body}
        return updates | {
            box: gr.update(visible=True, choices=[NONE, *names], value=name or NONE)
            for box, name in chosen.items()
        }

    def wait_for_turn() -> Updates:
        """What is shown at once; the run itself may have to wait for that of another visitor."""
        return {
            progress: render_status("Đang chờ đến lượt: máy xử lý từng tệp một…"),
            result: "",
            files: gr.update(visible=False, value=None),
            start: gr.update(interactive=False),
            upload: gr.update(interactive=False),
        }

    def run(
        own: CorpusSession, path: str, title: str, lead: str, text: str, summarize: bool, form: str
    ) -> Iterator[Updates]:
        """Progress until the end, then chart, table and files."""
        ended: Updates = {
            halt: gr.update(visible=False),
            start: gr.update(interactive=True),
            upload: gr.update(interactive=True),
        }
        try:
            source, _ = open_upload(path)
            settings = settings_of(source, title, lead, text, summarize)
            job = own.begin(source, settings, FORMATS[form])
        except InputError as error:
            yield ended | {progress: render_error(str(error))}
            return
        except OSError as error:
            yield ended | {progress: render_error(file_error(error))}
            return
        try:
            while not job.wait(0.5):
                yield {progress: render_progress(job.progress), halt: gr.update(visible=True)}
        finally:  # also when the visitor has gone
            job.stop()
        yield ended | outcome(job)

    def outcome(job: CorpusJob) -> Updates:
        """What a job has left."""
        if job.error is not None:
            return {progress: render_error(job.error)}
        if job.found is None:
            done = job.progress.done if job.progress else 0
            return {
                progress: render_status(
                    f"Đã dừng sau {number(done)} dòng. Bấm lại “{start.value}” để làm tiếp."
                )
            }
        themes = read_themes(job.settings.checkpoint)
        return {
            progress: render_status(f"Xong: {number(job.found.rows)} dòng."),
            result: render_result(job.found, themes, job.settings.summarize),
            files: gr.update(visible=True, value=[str(job.output), str(job.report)]),
        }

    def stop(own: CorpusSession) -> None:
        """What the stop button does."""
        if own.job is not None:
            own.job.stop()

    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    seen = [first_rows, options, title, lead, text, start, progress, result, files]
    upload.change(recognise, upload, seen, concurrency_limit=None, **private)
    shown = [progress, result, files, start, upload, halt]
    start.click(wait_for_turn, None, shown, queue=False, **private).then(
        run,
        [session, upload, title, lead, text, summarize, form],
        shown,
        concurrency_limit=1,  # who comes second waits
        **private,
    )
    halt.click(stop, session, None, concurrency_limit=None, **private)
