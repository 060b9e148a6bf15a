"""What the tab for files shows, as HTML: the first rows, progress, the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from model.corpus.progress import Progress
from model.corpus.report import Report
from model.corpus.results import ERROR, as_text
from model.numbers import number, percent
from page.messages import render_bar, render_status

CELL = 160  # characters of a cell that are shown
BAR = "#1d4ed8"
SHOWN_FAILURES = 20


def render_cell(cell: Any) -> str:
    """A cell, cut where it is long."""
    text = str("" if cell is None else as_text(cell))
    return escape(text if len(text) <= CELL else text[: CELL - 1] + "…")


def render_table(name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Some rows as an HTML table that can be scrolled."""
    head = "".join(f'<th scope="col">{render_cell(column)}</th>' for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{render_cell(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        f'<div class="chude"><h3>{escape(name)}</h3></div><div class="chude-preview" tabindex="0" '
        f'role="region" aria-label="{escape(name)}"><table><tr>{head}</tr>{body}</table></div>'
    )


def render_progress(progress: Progress | None) -> str:
    """A bar with rows, rate, time left and failures."""
    if progress is None or not progress.rate:
        return render_status("Đang nạp mô hình… Đừng đóng trang này cho đến khi xong.")
    if progress.done == progress.total:
        return render_status("Đang ghi kết quả…")
    share = 100 * progress.done / progress.total
    return (
        '<div class="chude-progress"><div class="track" role="progressbar" aria-valuemin="0" '
        f'aria-valuemax="{progress.total}" aria-valuenow="{progress.done}">'
        f'<div class="fill" style="width:{share:.1f}%"></div></div>'
        f"{number(progress.done)}/{number(progress.total)} dòng · {progress.describe()}. "
        "Đừng đóng trang này cho đến khi xong.</div>"
    )


def render_result(found: Report, themes: Mapping[str, Mapping[str, Any]], summaries: bool) -> str:
    """A bar per theme, what failed, and the first rows, the results in front."""
    done = found.rows - found.failed
    bars = "".join(
        render_bar(
            theme,
            settings["label"],
            found.topics[theme] / max(1, done),
            number(found.topics[theme]),
            BAR,
            faint=not found.topics[theme],
        )
        for theme, settings in themes.items()
    )
    failures = "".join(f"<li>{escape(failure)}</li>" for failure in found.failures[:SHOWN_FAILURES])
    if failures:
        failures = f"<h3>{number(found.failed)} dòng không xử lý được</h3><ul>{failures}</ul>"
    columns = ["Chủ đề", *(f"Xác suất: {s['label']}" for s in themes.values())]
    columns += ["Tóm tắt"] if summaries else []
    columns += ["Lỗi"] if found.failed else []
    own = list(dict.fromkeys(name for row, _ in found.first for name in row.fields))
    rows = []
    for row, cells in found.first:
        labels = [themes[theme]["label"] for theme in cells.get("themes", ())]
        scores = [cells.get(f"score_{theme}") for theme in themes]
        shown: list[Any] = ["; ".join(labels), *("" if s is None else percent(s) for s in scores)]
        shown += [cells.get("summary")] if summaries else []
        shown += [cells.get(ERROR)] if found.failed else []
        rows.append([*shown, *(row.fields.get(name) for name in own)])
    name = f"{len(rows)} dòng đầu của kết quả" if len(rows) < found.rows else "Kết quả"
    return (
        f'<div class="chude"><h3>Số bài theo chủ đề, trong {number(done)} bài</h3>{bars}{failures}'
        "</div>" + render_table(name, [*columns, *own], rows)
    )
