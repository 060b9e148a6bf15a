"""Under a result: what a reader says the article is about, kept for the next training."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import gradio as gr

from labels.store import ABSENT, MAIN, TOUCHED, Labelled, LabelStore
from model.analysis import Analysis
from model.article import Article
from model.errors import InputError
from model.registry import ModelRegistry
from page.messages import render_error, render_status

SOURCE = "trang"  # where labels from here come from
ANONYMOUS = "người dùng trang"
HINT = (
    "Đánh dấu chủ đề bài viết **lấy làm nội dung chính**, và chủ đề bài **chỉ nhắc đến**. Chủ đề "
    "không đánh dấu được ghi là không có trong bài. Nhãn dùng cho lần huấn luyện sau."
)


@dataclass(frozen=True)
class Corrected:
    """An article as it was analysed, and what was found in it."""

    text: str
    main: tuple[str, ...]
    touched: tuple[str, ...]
    at: float  # tells an analysis from the same one a minute later


def of_analysis(text: str, analysis: Analysis) -> Corrected:
    """What a reader may correct."""
    main = tuple(t.theme for t in analysis.themes if t.is_topic)
    touched = tuple(t.theme for t in analysis.themes if t.is_mentioned and not t.is_topic)
    return Corrected(text, main, touched, time.time())


def author_of(request: gr.Request | None) -> str:
    """Who is at the page, as far as it knows."""
    return (request.username if request is not None else None) or ANONYMOUS


def save(
    corrected: Corrected | None,
    shown: dict[str, str],
    main: list[str],
    touched: list[str],
    request: gr.Request,
) -> str:
    """Put the labels into the store; what is said of it.

    Args:
        shown: the themes that the reader has seen, names by key: only these are graded.
    """
    if corrected is None:
        return ""
    if both := set(main) & set(touched):
        listed = ", ".join(shown[theme] for theme in sorted(both))
        return render_error(f"{listed}: chọn một trong hai, nội dung chính hoặc chỉ nhắc đến.")
    try:
        store = LabelStore()
        grades = dict.fromkeys(shown, ABSENT)
        grades |= dict.fromkeys(touched, TOUCHED) | dict.fromkeys(main, MAIN)
        article = Article.from_text(corrected.text)
        store.add([Labelled("", article, grades)], author_of(request), SOURCE)
    except InputError as error:
        return render_error(str(error))
    return render_status("Đã lưu nhãn của bài này. Cảm ơn bạn.")


def build_correction(analysed: gr.State) -> None:
    """The fold under a result; it appears when `analysed` holds a `Corrected`."""
    with gr.Accordion("Sửa nhãn", open=False, visible=False, elem_id="correction") as fold:
        gr.Markdown(HINT)
        main = gr.CheckboxGroup(label="Nội dung chính", elem_id="correct-main")
        touched = gr.CheckboxGroup(label="Chỉ nhắc đến", elem_id="correct-touched")
        button = gr.Button("Lưu nhãn", variant="primary", elem_id="correct-save")
        message = gr.HTML(elem_id="correct-message")
    shown = gr.State({})

    def show(corrected: Corrected | None) -> dict[Any, Any]:
        """The labels that are known of the article, or else those that were found."""
        if corrected is None:
            return {fold: gr.update(visible=False), message: ""}
        try:
            store = LabelStore()
            themes = store.themes(ModelRegistry().current().themes)
            known = store.grades(Article.from_text(corrected.text))
        except InputError as error:
            return {fold: gr.update(visible=True), shown: {}, message: render_error(str(error))}
        grades = dict.fromkeys(corrected.touched, TOUCHED) | dict.fromkeys(corrected.main, MAIN)
        grades |= known
        choices = [(label, key) for key, label in themes.items()]
        values = {
            grade: [theme for theme in themes if grades.get(theme) == grade]
            for grade in (MAIN, TOUCHED)
        }
        return {
            fold: gr.update(visible=True),
            shown: themes,
            main: gr.update(choices=choices, value=values[MAIN]),
            touched: gr.update(choices=choices, value=values[TOUCHED]),
            message: "",
        }

    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    analysed.change(show, analysed, [fold, shown, main, touched, message], **private)
    button.click(save, [analysed, shown, main, touched], message, **private)
