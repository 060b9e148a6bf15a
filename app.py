"""The web page: paste an article, see its summary, its themes and the sentences that say so."""

from __future__ import annotations

import logging
import os
import time
from html import escape
from itertools import count
from pathlib import Path
from textwrap import shorten
from typing import Annotated

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import gradio as gr
import typer

from model.analysis import Analysis, analyze, load_classifier, load_summarizer
from model.classifier import ThemeScore
from model.errors import InputError
from model.sentences import split_sentences
from model.summarizer import DEFAULT_LENGTH, LENGTHS, Summary, joined

logger = logging.getLogger(__name__)
SAMPLES = Path(__file__).parent / "samples"
# Dark enough for white text (contrast 4.5 : 1), light enough as a tint; reused past the eighth.
COLORS = ("#b45309", "#1d4ed8", "#be123c", "#15803d", "#7e22ce", "#0f766e", "#a16207", "#475569")
STYLE = """
.gradio-container { max-width: 1180px !important; margin: 0 auto !important; }
footer { display: none !important; }
.chude-head h1 { font-size: 1.6rem; margin: 0 0 .2rem; color: var(--primary-700); }
.chude-head p { margin: 0; color: var(--neutral-500); }
.chude-verdict { font-size: 1.15rem; font-weight: 650; margin: 0 0 .8rem;
  color: var(--body-text-color); }
.chude h3 { font-size: .8rem; text-transform: uppercase; letter-spacing: .05em;
  color: var(--neutral-500);
  margin: 1.1rem 0 .45rem; }
.chude-bar { display: grid; grid-template-columns: minmax(9rem, 15rem) 1fr 3.2rem; gap: .7rem;
  align-items: center; margin: .35rem 0; color: var(--body-text-color); }
.chude-bar .track { background: var(--border-color-primary); border-radius: 4px; height: .8rem;
  overflow: hidden; }
.chude-bar .fill { height: 100%; border-radius: 4px; min-width: 2px; }
.chude-bar .number { text-align: right; font-variant-numeric: tabular-nums; }
.chude-bar.faint { color: var(--neutral-500); }
.chude-text { border: 1px solid var(--border-color-primary); border-radius: 8px;
  padding: 1rem 1.2rem; background: var(--background-fill-primary); color: var(--body-text-color);
  line-height: 1.65; max-height: 34rem; overflow: auto; }
.chude-text .title { font-weight: 700; font-size: 1.1rem; }
.chude-text p { margin: 0 0 .7rem; }
.chude-text mark { color: inherit; border-radius: 3px; padding: .08em .15em; }
.chude-text .flash { outline: 2px solid var(--primary-500); border-radius: 3px;
  background: var(--primary-100); color: #1f2937; }
.chude-summary { border-left: 4px solid var(--primary-500); padding: .1rem 0 .1rem 1rem;
  margin: 0 0 1.1rem; }
.chude-summary p { margin: 0; font-size: 1.05rem; line-height: 1.6; color: var(--body-text-color); }
.chude-summary [data-source] { cursor: pointer; border-radius: 3px; }
.chude-summary [data-source]:is(:hover, :focus) { background: var(--primary-100); color: #1f2937; }
.chude-summary button { margin-top: .5rem; font-size: .85rem; padding: .15rem .7rem;
  border: 1px solid var(--border-color-primary); border-radius: 6px; cursor: pointer;
  color: var(--body-text-color); background: var(--background-fill-secondary); }
.chude-note { color: var(--neutral-500); font-size: .85rem; margin-top: .8rem; }
.chude-error { border-left: 4px solid #b91c1c; background: #fef2f2; color: #7f1d1d;
  padding: .8rem 1rem; border-radius: 4px; }
.chude-empty { color: var(--neutral-500); padding: 1.5rem 0; }
@media (max-width: 560px) { .chude-bar { grid-template-columns: 1fr 3.2rem; }
  .chude-bar .track { grid-column: 1 / 3; grid-row: 2; } }
"""
# A sentence of the summary shows where it stands; the button copies the summary. The clipboard is
# closed to pages that come over plain HTTP from another machine, so there is the old way, too.
SCRIPT = """
{
  const PART = '.chude-summary [data-source]', BUTTON = '.chude-summary button';
  const source = part => part.closest('.chude')
    .querySelector(`[data-sentence="${part.dataset.source}"]`);
  const show = (event, on) => {
    const part = event.target.closest?.(PART);
    if (part && (on || part !== document.activeElement))
      source(part)?.classList.toggle('flash', on);
  };
  const go = part => {
    document.querySelectorAll('.chude-text .flash').forEach(e => e.classList.remove('flash'));
    source(part)?.classList.add('flash');
    source(part)?.scrollIntoView({block: 'center', behavior: 'smooth'});
  };
  const copy = async button => {
    const text = button.parentElement.querySelector('p').innerText;
    try { await navigator.clipboard.writeText(text); } catch {
      const area = document.body.appendChild(document.createElement('textarea'));
      area.value = text; area.select(); document.execCommand('copy'); area.remove();
    }
    button.textContent = 'Đã chép';
  };
  document.addEventListener('mouseover', event => show(event, true));
  document.addEventListener('mouseout', event => show(event, false));
  document.addEventListener('click', event => {
    const part = event.target.closest?.(PART), button = event.target.closest?.(BUTTON);
    if (part) go(part);
    if (button) copy(button);
  });
  document.addEventListener('keydown', event => {
    const part = event.key === 'Enter' && event.target.closest?.(PART);
    if (part) go(part);
  });
}
"""
LENGTH_NAMES = {"short": "Một câu", "medium": "Hai, ba câu"}
EMPTY = '<div class="chude chude-empty">Kết quả sẽ hiện ở đây.</div>'


def render_bars(heading: str, scores: dict[ThemeScore, float], colors: dict[str, str]) -> str:
    """A bar per theme under a heading, longest first; nothing for no themes."""
    if not scores:
        return ""
    rows = [f"<h3>{heading}</h3>"]
    for theme, score in sorted(scores.items(), key=lambda item: -item[1]):
        percent = round(100 * score)
        faint = "" if theme.is_mentioned else " faint"
        color = colors[theme.theme] if theme.is_mentioned else "#9ca3af"
        rows.append(
            f'<div class="chude-bar{faint}" data-theme="{escape(theme.theme)}">'
            f"<span>{escape(theme.label)}</span>"
            f'<div class="track" role="img" aria-label="{percent} phần trăm">'
            f'<div class="fill" style="width:{percent}%;background:{color}"></div></div>'
            f'<span class="number">{percent}%</span></div>'
        )
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
        + f"Phân tích trong {seconds:.2f} giây, ngay trên máy này.</p></div>".replace(".", ",", 1)
    )


def run(text: str, length: str) -> str:
    """What the button does: the result, or the reason why there is none."""
    start = time.perf_counter()
    try:
        analysis = analyze(text, length=length)
    except InputError as error:
        return f'<div class="chude-error" role="alert">{escape(str(error))}</div>'
    return render_analysis(analysis, time.perf_counter() - start)


def run_again(text: str, length: str) -> str:
    """What another length does: nothing before there is a text."""
    return run(text, length) if text.strip() else EMPTY


def build_page() -> gr.Blocks:
    """The page, from top to bottom."""
    samples = [path.read_text("utf-8") for path in sorted(SAMPLES.glob("*.txt"))]
    with gr.Blocks(title="Chủ đề – phân loại và tóm tắt bài viết", analytics_enabled=False) as page:
        gr.HTML(
            "<h1>Chủ đề và tóm tắt bài viết</h1>"
            "<p>Dán một bài báo: chương trình tóm tắt bài bằng câu của chính bài ấy, cho biết bài "
            "viết về chủ đề nào và câu nào nói lên điều đó. Mọi việc diễn ra trên máy này, không "
            "gửi dữ liệu đi đâu.</p>",
            elem_classes="chude-head",
        )
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
                    example_labels=[
                        shorten(s.split("\n", 1)[0], 48, placeholder="…") for s in samples
                    ],
                    inputs=text,
                    label="Bài mẫu (tự viết, địa danh và nhân vật hư cấu)",
                )
            with gr.Column(scale=6):
                result = gr.HTML(EMPTY, elem_id="result")
        done = button.click(run, [text, length], result, api_name="analyze")
        length.input(run_again, [text, length], result, api_visibility="private")
        # On a telephone the result is below the fold.
        done.then(
            None,
            js="() => document.getElementById('result').scrollIntoView({block: "
            "'nearest', behavior: 'smooth'})",
            api_visibility="private",
        )
        clear.click(lambda: ("", EMPTY), None, [text, result], api_visibility="private")
    return page


def main(
    host: Annotated[str, typer.Option(help="Địa chỉ lắng nghe.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Cổng.")] = 7860,
    browser: Annotated[bool, typer.Option(help="Mở trình duyệt.")] = True,
) -> None:
    """Mở trang phân loại bài viết."""
    logging.basicConfig(level=logging.INFO)
    load_classifier()  # so that the first user does not wait for them
    load_summarizer()
    # Fonts by name only: the themes' own would be fetched from the network.
    fonts = ["Segoe UI", "Noto Sans", "Roboto", "Arial", "sans-serif"]
    build_page().launch(
        server_name=host,
        server_port=port,
        inbrowser=browser,
        theme=gr.themes.Default(primary_hue="red", font=fonts, font_mono=["monospace"]),
        css=STYLE,
        head=f"<script>{SCRIPT}</script>",
        footer_links=[],
    )


if __name__ == "__main__":
    typer.run(main)
