"""What the training tab shows, as HTML: the store, a training, a comparison, the versions."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from labels.importing import Reading
from labels.store import MAIN
from labels.summary import ThemeCount
from model.numbers import decimal, duration, number
from model.registry import Version
from page.messages import render_error, render_status
from training.retrain.state import DONE, FAILED, RUNNING, STOPPED, TrainingState

SHOWN = 12  # lines of a list
MODES = {"quick": "nhanh", "full": "đầy đủ", "": "đi kèm chương trình"}
NOBODY = "không có"


def render_rows(name: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are HTML already."""
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return (
        f'<div class="chude"><h3>{escape(name)}</h3></div><div class="chude-preview" tabindex="0" '
        f'role="region" aria-label="{escape(name)}"><table><tr>{head}</tr>{body}</table></div>'
    )


def render_store(counts: Sequence[ThemeCount]) -> str:
    """Labels in the store by theme."""
    rows = [
        [
            escape(count.label),
            *map(number, (count.main, count.touched, count.absent, count.held_out)),
        ]
        for count in counts
    ]
    header = ["Chủ đề", "Nội dung chính", "Nhắc đến", "Không có", "Giữ lại để đo"]
    return render_rows("Nhãn trong kho", header, rows)


def render_list(heading: str, lines: Sequence[str]) -> str:
    """A heading and some lines under it; nothing for no lines."""
    if not lines:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines[:SHOWN])
    more = f"<li>… và {number(len(lines) - SHOWN)} nữa</li>" if len(lines) > SHOWN else ""
    return f"<h3>{escape(heading)} ({number(len(lines))})</h3><ul>{items}{more}</ul>"


def render_reading(reading: Reading, names: dict[str, str]) -> str:
    """What a file of labels says, before it goes into the store."""
    main = reading.count(MAIN)
    counts = "; ".join(f"{names.get(theme, theme)}: {number(n)}" for theme, n in main.most_common())
    similar = [
        f"'{reading.new[key]}': có phải ý bạn là '{names.get(meant, meant)}'?"
        for key, meant in reading.similar.items()
    ]
    return (
        f'<div class="chude"><p>{number(len(reading.labelled))} bài có nhãn. {escape(counts)}</p>'
        + render_list("Tên chủ đề có thể viết nhầm", similar)
        + render_list("Dòng không nhập được", reading.problems)
        + render_list("Nhãn trong kho sẽ được thay", reading.changes)
        + (f"<p>{number(reading.duplicates)} dòng trùng.</p>" if reading.duplicates else "")
        + (f"<p>{number(reading.unread)} dòng chưa đọc.</p>" if reading.unread else "")
        + "</div>"
    )


def render_training(state: TrainingState | None) -> str:
    """How far a training is, or how it has ended."""
    if state is None:
        return render_status("Chưa có lần huấn luyện nào.")
    if state.state == FAILED:
        return render_error(state.error or "Huấn luyện không thành.")
    if state.state == STOPPED:
        return render_status("Đã dừng. Mô hình đang dùng không thay đổi.")
    if state.state == DONE:
        return render_status(f"Xong: mô hình {state.version}. Xem so sánh ở dưới.")
    share = 100 * state.share
    left = f", còn {duration(state.seconds_left)}" if state.seconds_left is not None else ""
    return (
        '<div class="chude-progress"><div class="track" role="progressbar" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{share:.0f}">'
        f'<div class="fill" style="width:{share:.1f}%"></div></div>'
        f"Huấn luyện {MODES[state.mode]}: {escape(state.stage)}{left}. Đóng trang này việc huấn "
        "luyện vẫn tiếp tục.</div>"
    )


def is_busy(state: TrainingState | None) -> bool:
    """Does a training run?"""
    return state is not None and state.state == RUNNING


def curve_points(state: TrainingState | None) -> list[dict[str, Any]]:
    """The points of the curve, one measure each."""
    names = {"loss": "Sai số", "validation_loss": "Sai số kiểm tra", "f1": "F1"}
    return [
        {"Bước": point["step"], "Giá trị": point[key], "Đại lượng": name}
        for point in (state.curve if state else [])
        for key, name in names.items()
        if key in point
    ]


def render_measure(measure: dict[str, float] | None, kind: str) -> str:
    """F1 as a bar with its interval drawn on it."""
    if measure is None:
        return "–"
    low, high = 100 * measure["low"], 100 * measure["high"]
    text = f"{decimal(measure['low'], 2)} đến {decimal(measure['high'], 2)}"
    return (
        f'<div class="chude-f1 {kind}" role="img" aria-label="F1 {decimal(measure["f1"], 2)}, '
        f'khoảng tin cậy 90% từ {text}">'
        f'<div class="track"><div class="fill" style="width:{100 * measure["f1"]:.1f}%"></div>'
        f'<div class="interval" style="left:{low:.1f}%;width:{high - low:.1f}%"></div></div>'
        f"<span>{decimal(measure['f1'], 2)}</span></div>"
    )


def render_comparison(name: str, comparison: dict[str, Any], labels: dict[str, str]) -> str:
    """A candidate beside the version in use: per theme, and the articles on which they differ."""
    rows = []
    for theme in comparison["themes"]:
        alarms = f"{theme['alarms']}/{theme['ungraded']}" if theme["ungraded"] else "–"
        rows.append(
            [
                escape(theme["label"]),
                f"{theme['positives']}/{theme['graded']}",
                render_measure(theme["current"], "current"),
                render_measure(theme["candidate"], "candidate"),
                alarms,
            ]
        )
    header = ["Chủ đề", "Bài đo", "F1 đang dùng", "F1 mô hình mới", "Nhận nhầm bài khác"]

    def named(themes: Sequence[str]) -> str:
        return escape(", ".join(labels.get(theme, theme) for theme in themes) or NOBODY)

    differences = [
        [
            escape(item["article"]),
            named(item["labels"]),
            named(item["current"]),
            named(item["candidate"]),
        ]
        for item in comparison["differences"]
    ]
    against = "".join(render_error(reason) for reason in comparison["against"])
    told = (
        '<div class="chude"><p class="chude-note">Đo trên những bài không dùng để học. Bài đo: số '
        "bài về chủ đề / số bài đã biết có hay không. Vạch trên thanh là khoảng tin cậy 90%: càng "
        "ít bài đo, khoảng càng rộng.</p></div>"
    )
    found = render_rows(f"So sánh {name} với mô hình đang dùng", header, rows) + told + against
    if differences:
        columns = ["Bài", "Nhãn", "Mô hình đang dùng", "Mô hình mới"]
        found += render_rows(f"Khác nhau ở {len(differences)} bài", columns, differences)
    return found


def render_versions(versions: Sequence[Version], current: str) -> str:
    """Every version, the one in use marked."""
    rows = []
    for version in versions:
        record = version.record
        made = str(record.get("created", ""))[:16].replace("T", " ")
        rows.append(
            [
                f"<b>{escape(version.name)}</b>"
                if version.name == current
                else escape(version.name),
                "đang dùng" if version.name == current else "",
                escape(made),
                MODES.get(record.get("mode", ""), ""),
                escape(", ".join(version.themes.values())),
            ]
        )
    return render_rows("Các mô hình", ["Tên", "", "Tạo lúc", "Cách", "Chủ đề"], rows)
