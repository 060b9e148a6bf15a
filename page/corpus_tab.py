"""The tab where a file is dropped: its columns, progress, the table, a chart, the result."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any

import gradio as gr

from model.classifier import read_themes
from model.corpus.columns import TextColumns, find_columns
from model.corpus.document_folders import FILE
from model.corpus.job import CorpusJob
from model.corpus.progress import duration
from model.corpus.run import Progress
from model.corpus.source import Source
from model.corpus.sources import SUFFIXES, open_source
from model.corpus.worker import Settings
from model.errors import InputError
from page.messages import render_error

MAX_MEGABYTES = 200
MAX_ROWS = 20_000
PREVIEW_ROWS = 5
SHOWN_ROWS = 200
CELL = 160  # characters of a cell that are shown
FORMS = {"Excel (.xlsx)": ".xlsx", "CSV": ".csv", "JSON Lines": ".jsonl", "Parquet": ".parquet"}
NONE = "(không có)"
LIMITS = (
    f"Nhận tệp {', '.join(SUFFIXES)} (tệp .zip chứa .txt, .html, .docx, .pdf), tối đa "
    f"**{MAX_MEGABYTES} MB** và **{MAX_ROWS:,} dòng**; ".replace(",000", ".000")
    + "nhiều hơn thì dùng lệnh `chude classify`. Mọi cột của tệp được giữ nguyên trong kết quả."
)
# One core for those who paste an article meanwhile.
WORKERS = max(1, (os.cpu_count() or 1) - 1)


def cell_html(cell: Any) -> str:
    """A cell, cut where it is long."""
    text = "; ".join(cell) if isinstance(cell, list) else str("" if cell is None else cell)
    return escape(text if len(text) <= CELL else text[: CELL - 1] + "…")


def render_table(columns: list[str], rows: list[dict[str, Any]]) -> str:
    """Some rows as an HTML table."""
    head = "".join(f"<th>{cell_html(name)}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{cell_html(row.get(n))}</td>" for n in columns) + "</tr>"
        for row in rows
    )
    return f'<div class="chude-preview"><table><tr>{head}</tr>{body}</table></div>'


def column_names(source: Source) -> list[str]:
    """The columns of a table; of JSON Lines those of its first rows."""
    if source.columns is not None:
        return source.columns
    rows = islice(source.rows(contents=False), 100)
    return list(dict.fromkeys(name for row in rows for name in row.fields))


def open_upload(path: str) -> Source:
    """The source of an uploaded file. Raises InputError if it is none or too long."""
    source = open_source(path)
    if (rows := source.count()) > MAX_ROWS:
        raise InputError(
            f"Tệp có {rows} dòng, trang chỉ nhận {MAX_ROWS}. Hãy dùng lệnh chude classify."
        )
    if not rows:
        raise InputError("Tệp không có dòng nào.")
    return source


def recognise(path: str | None) -> tuple[Any, ...]:
    """What an upload shows: the columns found, to be changed, and the first rows."""
    hidden = gr.update(visible=False)
    if path is None:
        return "", hidden, hidden, hidden, hidden, gr.update(interactive=False)
    try:
        source = open_upload(path)
    except (InputError, OSError) as error:
        return render_error(error), hidden, hidden, hidden, hidden, gr.update(interactive=False)
    names = column_names(source)
    found = find_columns(names)
    rows = [row.fields for row in islice(source.rows(contents=False), PREVIEW_ROWS)]
    table = (
        f'<div class="chude"><h3>{source.count()} dòng; những dòng đầu</h3></div>'
        + render_table(names, rows)
    )
    if names == [FILE]:
        return table, gr.update(visible=True), hidden, hidden, hidden, gr.update(interactive=True)
    choices = [NONE, *names]
    dropdowns = [
        gr.update(visible=True, choices=choices, value=value or NONE)
        for value in (found.title, found.lead, found.body or found.text)
    ]
    return table, gr.update(visible=True), *dropdowns, gr.update(interactive=True)


def chosen_columns(source: Source, title: str, lead: str, body: str) -> TextColumns | None:
    """The columns that the user has left or set; None for documents, which have none.

    Raises InputError if none is set.
    """
    names = column_names(source)
    if names == [FILE]:
        return None
    title, lead, body = (name if name in names else "" for name in (title, lead, body))
    if not (title or lead or body):
        raise InputError("Hãy chọn cột chứa tiêu đề, sapo hoặc nội dung bài viết.")
    kept = find_columns(names)
    if not (title or lead):  # then the body may hold the whole article, title included
        return TextColumns(kept.id, text=body, date=kept.date)
    return TextColumns(kept.id, title or None, lead or None, body or None, date=kept.date)


def render_progress(progress: Progress | None) -> str:
    """A bar with rows, rate, time left and failures."""
    if progress is None:
        return '<div class="chude-progress" role="status">Đang nạp mô hình…</div>'
    percent = 100 * progress.done / max(1, progress.total)
    rate = f"{progress.rate:.1f}".replace(".", ",")
    return (
        '<div class="chude-progress" role="status"><div class="track">'
        f'<div class="fill" style="width:{percent:.1f}%"></div></div>'
        f"{progress.done}/{progress.total} dòng · {rate} dòng/giây · "
        f"còn {duration(progress.seconds_left)} · lỗi {progress.failures}</div>"
    )


def result_rows(output: Path) -> tuple[list[str], list[dict[str, Any]]]:
    """Columns and first rows of a finished result, our columns first."""
    source = open_source(str(output))
    rows = [row.fields for row in islice(source.rows(), SHOWN_ROWS)]
    names = column_names(source)
    ours = [n for n in names if n in ("themes", "summary", "error") or n.startswith("score_")]
    return [*ours, *(n for n in names if n not in ours and n != "primary")], rows


class CorpusPage:
    """What one user does on the tab; a new object per visit.

    Attributes:
        job: the run, None before the first.
        folder: holds its results; removed with this object.
    """

    def __init__(self) -> None:
        self.job: CorpusJob | None = None
        self.folder: tempfile.TemporaryDirectory[str] | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> CorpusPage:
        """Gradio copies the initial state for every visit."""
        return CorpusPage()

    def begin(self, source: Source, settings: Settings, form: str) -> CorpusJob:
        """Start a job in a folder of its own."""
        self.folder = tempfile.TemporaryDirectory(prefix="chude-")
        output = Path(self.folder.name) / f"ket-qua{form}"
        self.job = CorpusJob(source, output, settings, Path(self.folder.name), WORKERS)
        self.job.start()
        return self.job


def run(
    state: CorpusPage,
    path: str | None,
    title: str,
    lead: str,
    body: str,
    summarize: bool,
    form: str,
) -> Iterator[tuple[Any, ...]]:
    """What the button does: progress until the end, then table, chart and files."""
    off, on = gr.update(visible=False), gr.update(visible=True)
    try:
        if path is None:
            raise InputError("Hãy thả một tệp vào ô bên trên.")
        source = open_upload(path)
        columns = chosen_columns(source, title, lead, body)
        job = state.begin(source, Settings(summarize=summarize, columns=columns), FORMS[form])
    except (InputError, OSError) as error:
        yield render_error(error), off, "", off
        return
    try:
        while not job.wait(0.5):
            yield render_progress(job.progress), on, "", off
    finally:  # also when the browser has gone
        job.stop()
    if job.error is not None:
        yield render_error(job.error), off, "", off
    elif job.outcome is None:
        yield '<div class="chude-progress" role="status">Đã dừng.</div>', off, "", off
    else:
        yield (
            render_progress(job.progress),
            off,
            render_result(job),
            gr.update(visible=True, value=[str(job.output), str(job.report / "index.html")]),
        )


def render_result(job: CorpusJob) -> str:
    """A bar per theme, and the first rows."""
    assert job.outcome is not None
    columns, rows = result_rows(job.output)
    done = max(1, job.outcome.rows - job.outcome.failures)
    bars = ""
    for theme, settings in read_themes(job.settings.checkpoint).items():
        number = job.outcome.topics[theme]
        bars += (
            f'<div class="chude-bar" data-theme="{escape(theme)}">'
            f"<span>{escape(settings['label'])}</span>"
            f'<div class="track" role="img" aria-label="{number} bài"><div class="fill" '
            f'style="width:{100 * number / done:.1f}%;background:#1d4ed8"></div></div>'
            f'<span class="number">{number}</span></div>'
        )
    shown = f"{len(rows)} dòng đầu của kết quả" if len(rows) < job.outcome.rows else "Kết quả"
    return (
        f'<div class="chude"><h3>Số bài theo chủ đề (trong {done})</h3>{bars}<h3>{shown}</h3></div>'
        + render_table(columns, rows)
    )


def stop(state: CorpusPage) -> None:
    """What the stop button does."""
    if state.job is not None:
        state.job.stop()


def build_corpus_tab() -> None:
    """The tab, from top to bottom."""
    state = gr.State(CorpusPage())
    gr.Markdown(LIMITS)
    upload = gr.File(
        label="Thả tệp vào đây",
        file_types=list(SUFFIXES),
        type="filepath",
        height=120,
        elem_id="corpus-file",
    )
    preview = gr.HTML()
    with gr.Column(visible=False) as options:
        with gr.Row():
            title = gr.Dropdown(label="Cột tiêu đề", elem_id="corpus-title")
            lead = gr.Dropdown(label="Cột sapo", elem_id="corpus-lead")
            body = gr.Dropdown(label="Cột nội dung", elem_id="corpus-body")
        with gr.Row():
            form = gr.Radio(list(FORMS), value=next(iter(FORMS)), label="Dạng kết quả")
            summarize = gr.Checkbox(label="Thêm tóm tắt", value=False, elem_id="corpus-summarize")
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
    table = gr.HTML(elem_id="corpus-table")
    upload.change(
        recognise, upload, [preview, options, title, lead, body, start], api_visibility="private"
    )
    start.click(
        run,
        [state, upload, title, lead, body, summarize, form],
        [progress, halt, table, files],
        api_visibility="private",
        concurrency_limit=1,  # who comes second waits in the queue
        show_progress="hidden",
    )
    halt.click(stop, state, None, api_visibility="private", concurrency_limit=None)
