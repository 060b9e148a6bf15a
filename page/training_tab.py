"""The tab of who keeps the themes: labels, training, comparison, promotion."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import pandas as pd

from labels.exporting import export_labels
from labels.importing import find_changes, read_labels, store_reading
from labels.names import find_theme, theme_key
from labels.store import LabelStore
from labels.summary import count_labels
from model.errors import InputError
from model.numbers import number
from model.registry import SHIPPED, ModelRegistry
from page.correction import author_of
from page.messages import render_error, render_status
from page.training_job import start_training, stop_training
from page.training_view import (
    curve_points,
    is_busy,
    render_comparison,
    render_reading,
    render_store,
    render_training,
    render_versions,
)
from training.retrain.candidate import compare_again
from training.retrain.promotion import promote_version
from training.retrain.state import read_state

MAX_MEGABYTES = 50
LOOK_EVERY = 2.0  # seconds
QUICK = "Nhanh (vài phút)"
FULL = "Đầy đủ (chục phút đến vài giờ)"
HELP = (
    "Bảng có cột bài viết (`title`, `lead`, `body` hoặc `text`, `nội dung`…) và cột `labels` (hoặc "
    "`nhãn`, `chủ đề`), nhiều chủ đề cách nhau bằng dấu chấm phẩy. Chủ đề có trong tệp mà dòng này "
    "không ghi được coi là **không có** ở dòng này; chủ đề cả tệp không dùng vẫn là **chưa biết**. "
    f"Tối đa {MAX_MEGABYTES} MB."
)

Updates = dict[Any, Any]


def theme_names() -> dict[str, str]:
    """The themes of the next version."""
    return LabelStore().themes(ModelRegistry().current().themes)


def show_store() -> str:
    """The labels in the store."""
    try:
        return render_store(count_labels(LabelStore().articles(), theme_names()))
    except InputError as error:
        return render_error(str(error))


def build_labels_part(tab: gr.Tab) -> None:
    """Labels come in and go out, themes are named."""
    store = gr.HTML(elem_id="label-store")
    with gr.Row():
        with gr.Column():
            upload = gr.File(
                label="Tệp có nhãn",
                file_types=[".jsonl", ".csv", ".tsv", ".xlsx", ".parquet"],
                elem_id="labels-file",
            )
            gr.Markdown(HELP)
            found = gr.HTML(elem_id="labels-found")
            new = gr.CheckboxGroup(
                label="Chủ đề mới trong tệp: đánh dấu để nhận", visible=False, elem_id="labels-new"
            )
            take = gr.Button(
                "Nhập vào kho", variant="primary", interactive=False, elem_id="labels-import"
            )
            said = gr.HTML(elem_id="labels-message")
        with gr.Column():
            theme = gr.Dropdown(label="Chủ đề", choices=[], elem_id="theme-choice")
            name = gr.Textbox(label="Tên", max_lines=1, elem_id="theme-name")
            with gr.Row():
                add = gr.Button("Thêm chủ đề", elem_id="theme-add")
                rename = gr.Button("Đổi tên", elem_id="theme-rename")
                remove = gr.Button("Bỏ chủ đề", elem_id="theme-remove")
            named = gr.HTML(elem_id="theme-message")
            export = gr.Button("Xuất kho nhãn (.xlsx)", elem_id="labels-export")
            exported = gr.File(
                label="Kho nhãn", visible=False, interactive=False, elem_id="labels-exported"
            )

    def read(path: str | None) -> Updates:
        """What a file says; nothing is stored yet."""
        closed: Updates = {
            found: "",
            said: "",
            new: gr.update(visible=False, choices=[], value=[]),
            take: gr.update(interactive=False),
        }
        if path is None:
            return closed
        try:
            if Path(path).stat().st_size > MAX_MEGABYTES * 1_000_000:
                raise InputError(f"Tệp lớn hơn {MAX_MEGABYTES} MB.")
            themes = theme_names()
            reading = read_labels(path, themes, removed=LabelStore().removed_themes())
            find_changes(reading, LabelStore())
        except InputError as error:
            return closed | {found: render_error(str(error))}
        choices = [(label, key) for key, label in reading.new.items()]
        return closed | {
            found: render_reading(reading, themes | reading.new),
            new: gr.update(visible=bool(choices), choices=choices, value=[]),
            take: gr.update(interactive=bool(reading.labelled)),
        }

    def take_in(path: str, confirmed: list[str], request: gr.Request) -> Updates:
        """Put the file's labels into the store, once its new themes are confirmed."""
        try:
            removed = LabelStore().removed_themes()
            reading = read_labels(path, theme_names(), removed=removed)
            if refused := [reading.new[key] for key in reading.new if key not in confirmed]:
                raise InputError(
                    f"Chưa nhập: hãy đánh dấu chủ đề mới để nhận ({', '.join(refused)}), hoặc sửa "
                    "tên trong tệp rồi thả lại."
                )
            count = store_reading(reading, LabelStore(), author_of(request))
        except InputError as error:
            return {said: render_error(str(error))}
        articles = number(len(reading.labelled))
        return {
            said: render_status(f"Đã nhập {articles} bài, {number(count)} nhãn mới."),
            store: show_store(),
            take: gr.update(interactive=False),
        }

    def change_theme(action: str, key: str | None, label: str) -> Updates:
        """Add, rename or remove a theme of the next version."""
        try:
            themes, label = theme_names(), label.strip()
            other = find_theme(label, themes) if label else None
            if action != "remove":
                new_key = theme_key(label)  # refuses what is no name
                if other is not None and not (action == "rename" and other == key):
                    raise InputError(f"Đã có chủ đề '{themes[other]}'.")
            if action != "add" and key not in themes:
                raise InputError("Hãy chọn một chủ đề.")
            if action == "add":
                revived = find_theme(label, LabelStore().removed_themes())
                LabelStore().name_theme(revived or new_key, label)
                message = f"Đã thêm chủ đề '{label}'. Nó cần ít nhất 10 bài để huấn luyện."
            elif action == "rename":
                LabelStore().name_theme(key or "", label)
                message = f"Đã đổi tên thành '{label}', từ mô hình huấn luyện lần tới."
            elif len(themes) == 1:
                raise InputError("Phải còn ít nhất một chủ đề.")
            else:
                LabelStore().remove_theme(key or "", themes[key or ""])
                message = "Đã bỏ chủ đề, từ mô hình huấn luyện lần tới. Nhãn vẫn ở trong kho."
        except InputError as error:
            return {named: render_error(str(error))}
        return {
            named: render_status(message),
            store: show_store(),
            theme: gr.update(choices=[(n, k) for k, n in theme_names().items()], value=None),
            name: "",
        }

    def list_themes() -> Updates:
        """The themes as they are now."""
        try:
            return {theme: gr.update(choices=[(n, k) for k, n in theme_names().items()])}
        except InputError as error:
            return {named: render_error(str(error))}

    def write_export() -> Updates:
        """The store as a workbook."""
        output = Path(tempfile.mkdtemp(prefix="chude-")) / "kho-nhan.xlsx"
        try:
            export_labels(LabelStore(), output)
        except InputError as error:
            return {exported: gr.update(visible=False), named: render_error(str(error))}
        return {exported: gr.update(visible=True, value=str(output)), named: ""}

    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    upload.change(read, upload, [found, said, new, take], **private)
    take.click(take_in, [upload, new], [said, store, take], **private)
    shown = [named, store, theme, name]
    for button, action in ((add, "add"), (rename, "rename"), (remove, "remove")):
        button.click(partial(change_theme, action), [theme, name], shown, **private)
    theme.focus(list_themes, None, [theme, named], **private)
    export.click(write_export, None, [exported, named], **private)
    tab.select(show_store, None, store, **private)


def build_training_part() -> gr.State:
    """One training at a time; what comes back holds the name of the last version made here."""
    mode = gr.Radio(
        [(QUICK, "quick"), (FULL, "full")],
        value="quick",
        label="Cách huấn luyện",
        info="Nhanh: chỉ khớp phần kết luận. Đầy đủ: tinh chỉnh cả phần đọc hiểu.",
        elem_id="train-mode",
    )
    with gr.Row():
        start = gr.Button("Huấn luyện", variant="primary", elem_id="train-start", scale=3)
        halt = gr.Button("Dừng", interactive=False, elem_id="train-stop", scale=1)
    progress = gr.HTML(elem_id="train-progress")
    curve = gr.LinePlot(
        x="Bước", y="Giá trị", color="Đại lượng", height=240, visible=False, elem_id="train-curve"
    )
    points = gr.State(0)
    made = gr.State("")
    timer = gr.Timer(LOOK_EVERY)

    def look(drawn: int) -> Updates:
        """How far the training is, whoever has started it."""
        state = read_state()
        busy = is_busy(state)
        updates: Updates = {
            progress: render_training(state),
            start: gr.update(interactive=not busy),
            halt: gr.update(interactive=busy),
            made: state.version if state is not None and state.version else "",
        }
        rows = curve_points(state)
        if len(rows) != drawn:
            updates |= {
                points: len(rows),
                curve: gr.update(value=pd.DataFrame(rows), visible=len(rows) > 2),
            }
        return updates

    def begin(mode: str, drawn: int) -> Updates:
        """Start a training."""
        try:
            start_training(mode)
        except InputError as error:
            return {progress: render_error(str(error))}
        return look(drawn)

    def stop(drawn: int) -> Updates:
        """End it."""
        stop_training()
        return look(drawn)

    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    shown = [progress, curve, start, halt, points, made]
    timer.tick(look, points, shown, **private)
    start.click(begin, [mode, points], shown, **private)
    halt.click(stop, points, shown, **private)
    return made


def build_versions_part(tab: gr.Tab, made: gr.State) -> None:
    """The versions, and which one is used."""
    table = gr.HTML(elem_id="versions")
    with gr.Row():
        choice = gr.Dropdown(label="Mô hình", choices=[], elem_id="version-choice", scale=3)
        check = gr.Button("So sánh", elem_id="version-compare", scale=1)
    comparison = gr.HTML(elem_id="comparison")
    force = gr.Checkbox(label="Đưa vào dùng cả khi kém hơn", elem_id="version-force")
    with gr.Row():
        promote = gr.Button("Đưa vào dùng", variant="primary", elem_id="version-promote")
        back = gr.Button("Quay lại mô hình trước", elem_id="version-rollback")
        remove = gr.Button("Xóa mô hình", elem_id="version-remove")
    said = gr.HTML(elem_id="version-message")
    shown = [table, choice, comparison, said]

    def show(name: str | None = None) -> Updates:
        """All versions, `name` chosen."""
        registry = ModelRegistry()
        versions, current = registry.versions(), registry.current().name
        names = [version.name for version in versions if version.name != current]
        return {
            table: render_versions(versions, current),
            choice: gr.update(choices=names, value=name if name in names else None),
        }

    def show_made(name: str) -> Updates:
        """A version that has just come out, compared as its record says."""
        updates = show(name)
        version = next((v for v in ModelRegistry().versions() if v.name == name), None)
        if version is not None and name != SHIPPED:
            labels = ModelRegistry().current().themes | version.themes
            found = version.record["comparison"]
            updates |= {comparison: render_comparison(name, found, labels), said: ""}
        return updates

    def compare_chosen(name: str | None) -> Updates:
        """A version beside the one in use, by the labels of today."""
        try:
            if not name:
                raise InputError("Hãy chọn một mô hình.")
            found = compare_again(name)
            labels = theme_names() | ModelRegistry().find(name).themes
        except InputError as error:
            return {said: render_error(str(error))}
        return {comparison: render_comparison(name, found, labels), said: ""}

    def change(action: str, name: str | None, forced: bool) -> Updates:
        """Promote, roll back or remove."""
        try:
            registry = ModelRegistry()
            if action == "rollback":
                message = f"Đã quay lại mô hình '{registry.rollback().name}'."
            elif not name:
                raise InputError("Hãy chọn một mô hình.")
            elif action == "promote":
                message = f"Đang dùng mô hình '{promote_version(name, forced).name}'."
            else:
                registry.remove(name)
                message = f"Đã xóa mô hình '{name}'."
        except InputError as error:
            return {said: render_error(str(error))}
        return show() | {said: render_status(message), comparison: ""}

    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    tab.select(show, None, shown, **private)
    made.change(show_made, made, shown, **private)
    check.click(compare_chosen, choice, shown, api_visibility="private")
    for button, action in ((promote, "promote"), (back, "rollback"), (remove, "remove")):
        # To promote may mean to measure first, which takes a while.
        button.click(partial(change, action), [choice, force], shown, api_visibility="private")


def build_training_tab(tab: gr.Tab) -> None:
    """The tab, from top to bottom."""
    with gr.Accordion("1. Nhãn"):
        build_labels_part(tab)
    with gr.Accordion("2. Huấn luyện"):
        made = build_training_part()
    with gr.Accordion("3. Mô hình"):
        build_versions_part(tab, made)
