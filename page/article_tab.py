"""The tab where an article is pasted: its summary, its themes and the sentences that say so."""

from __future__ import annotations

import time
from html import escape
from itertools import count
from pathlib import Path
from textwrap import shorten

import gradio as gr

from model.analysis import Analysis, analyze
from model.classifier import ThemeScore
from model.errors import InputError
from model.numbers import decimal
from model.sentences import split_sentences
from model.summarizer import DEFAULT_LENGTH, LENGTHS, Summary, joined
from page.correction import Corrected, build_correction, of_analysis
from page.messages import render_bar, render_error

SAMPLES = Path(__file__).parents[1] / "samples"
# Dark enough for white text (contrast 4.5 : 1), light enough as a tint; reused past the eighth.
COLORS = ("#b45309", "#1d4ed8", "#be123c", "#15803d", "#7e22ce", "#0f766e", "#a16207", "#475569")
LENGTH_NAMES = {"short": "Một câu", "medium": "Tối đa ba câu"}
EMPTY = '<div class="chude chude-empty">Kết quả sẽ hiện ở đây.</div>'


def render_bars(heading: str, scores: dict[ThemeScore, float], colors: dict[str, str]) -> str:
    """A bar per theme under a heading, longest first; nothing for no themes."""
    if not scores:
        return ""
    rows = [f"<h3>{heading}</h3>"]
    for theme, score in sorted(scores.items(), key=lambda item: -item[1]):
        color = colors[theme.theme] if theme.is_mentioned else "#9ca3af"
        figure = f"{100 * score:.0f}%"
        faint = not theme.is_mentioned
        rows.append(render_bar(theme.theme, theme.label, score, figure, color, faint))
    return "".join(rows)


def render_summary(summary: Summary) -> str:
    """The summary; each of its sentences knows which one of the article it is."""
    if not summary.text:
        return (
            '<section class="chude-summary"><h3>Tóm tắt</h3>'
            "<p>Không có câu nào để tóm tắt: bài chỉ có bảng, danh sách hoặc các dòng rời.</p>"
            "</section>"
        )
    parts = " ".join(
        f'<span data-source="{part.source_index}" tabindex="0" role="link" '
        f'title="Xem câu này trong bài">{escape(joined([part.text]))}</span>'
        for part in summary.sentences
    )
    return (
        f'<section class="chude-summary"><h3>Tóm tắt</h3><p>{parts}</p>'
        '<button type="button">Chép tóm tắt</button></section>'
    )


def render_text(analysis: Analysis, colors: dict[str, str]) -> str:
    """The article with every evidence sentence in the colour of its theme."""
    labels = {theme.theme: theme.label for theme in analysis.themes}
    marks: dict[str, list[str]] = {}
    for evidence in analysis.evidence:
        marks.setdefault(evidence.sentence, []).append(evidence.theme)

    def render_sentence(number: int, sentence: str) -> str:
        place = f'data-sentence="{number}"'
        if sentence not in marks:
            return f"<span {place}>{escape(sentence)}</span>"
        themes = marks[sentence]
        names = ", ".join(labels[theme] for theme in themes)
        lines = ",".join(f"inset 0 -{2 * i + 2}px {colors[t]}" for i, t in enumerate(themes))
        style = f"background:{colors[themes[0]]}22;box-shadow:{lines}"
        return f'<mark {place} style="{style}" title="{escape(names)}">{escape(sentence)}</mark>'

    blocks: list[str] = []
    numbers = count()
    for paragraph in analysis.paragraphs:
        is_title = not blocks and paragraph == analysis.title
        sentences = [paragraph] if is_title else split_sentences(paragraph)
        body = " ".join(render_sentence(next(numbers), sentence) for sentence in sentences)
        blocks.append(f'<p class="title">{body}</p>' if is_title else f"<p>{body}</p>")
    return f'<h3>Bài viết và câu làm căn cứ</h3><div class="chude-text">{"".join(blocks)}</div>'


def render_analysis(analysis: Analysis, seconds: float) -> str:
    """The whole result as HTML."""
    themes = analysis.themes
    colors = {t.theme: COLORS[i % len(COLORS)] for i, t in enumerate(themes)}
    topics = {t: t.score for t in themes if t.is_topic}
    mentioned = {t: t.mention_score for t in themes if t.is_mentioned and not t.is_topic}
    others = {t: t.mention_score for t in themes if not t.is_mentioned}
    if topics:
        names = ", ".join(escape(t.label) for t in sorted(topics, key=lambda t: -t.score))
        verdict = f"Bài viết về: {names}"
    else:
        verdict = "Không thuộc chủ đề nào"
    return (
        f'<div class="chude">{render_summary(analysis.summary)}'
        + f'<p class="chude-verdict">{verdict}</p>'
        + render_bars("Chủ đề chính", topics, colors)
        + render_bars("Chỉ nhắc đến", mentioned, colors)
        + render_bars("Không có trong bài", others, colors)
        + render_text(analysis, colors)
        + '<p class="chude-note">Tỷ lệ là xác suất bài viết lấy chủ đề đó làm nội dung chính; với '
        + "chủ đề không phải nội dung chính, là xác suất bài có nhắc đến. "
        + f"Phân tích trong {decimal(seconds, 2)} giây, ngay trên máy này.</p></div>"
    )


def run(text: str, length: str) -> tuple[str, Corrected | None]:
    """What the button does: the result, or the reason why there is none; and what to correct."""
    start = time.perf_counter()
    try:
        analysis = analyze(text, length=length)
    except InputError as error:
        return render_error(str(error)), None
    return render_analysis(analysis, time.perf_counter() - start), of_analysis(text, analysis)


def run_again(text: str, length: str) -> tuple[str, Corrected | None]:
    """What another length does: nothing before there is a text."""
    return run(text, length) if text.strip() else (EMPTY, None)


def build_article_tab(labelling: bool) -> None:
    """The tab, from top to bottom.

    Args:
        labelling: may visitors correct labels?
    """
    analysed = gr.State(None)
    samples = [path.read_text("utf-8") for path in sorted(SAMPLES.glob("*.txt"))]
    with gr.Row():
        with gr.Column(scale=5):
            text = gr.Textbox(
                label="Bài viết",
                placeholder="Dán toàn văn bài viết vào đây, cả tiêu đề…",
                lines=16,
                max_lines=24,
                elem_id="article",
            )
            length = gr.Radio(
                [(LENGTH_NAMES[key], key) for key in LENGTHS],
                value=DEFAULT_LENGTH,
                label="Độ dài tóm tắt",
                elem_id="length",
            )
            with gr.Row():
                clear = gr.Button("Xóa", variant="secondary", scale=1)
                button = gr.Button("Phân tích", variant="primary", scale=3, elem_id="analyze")
            gr.Examples(
                examples=[[sample] for sample in samples],
                example_labels=[shorten(s.split("\n", 1)[0], 48, placeholder="…") for s in samples],
                inputs=text,
                label="Bài mẫu (tự viết, địa danh và nhân vật hư cấu)",
            )
        with gr.Column(scale=6):
            result = gr.HTML(EMPTY, elem_id="result")
            if labelling:
                build_correction(analysed)
    done = button.click(run, [text, length], [result, analysed], api_name="analyze")
    length.input(run_again, [text, length], [result, analysed], api_visibility="private")
    # On a telephone the result is below the fold.
    done.then(
        None,
        js="() => document.getElementById('result').scrollIntoView({block: "
        "'nearest', behavior: 'smooth'})",
        api_visibility="private",
    )
    clear.click(lambda: ("", EMPTY, None), None, [text, result, analysed], api_visibility="private")
