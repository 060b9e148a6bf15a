"""The web page: an article, a corpus, training."""

from __future__ import annotations

import logging
import os
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")

import gradio as gr
import typer

from model.analysis import load_classifier, load_summarizer
from page.article_tab import build_article_tab
from page.corpus_tab import MAX_MEGABYTES, build_corpus_tab
from page.training_tab import build_training_tab

# Gradio has no Vietnamese of its own.
GRADIO_TEXTS = {
    "common.or": "hoặc",
    "common.clear": "Xóa",
    "common.download": "Tải về",
    "common.error": "Lỗi",
    "upload_text.drop_file": "Kéo tệp vào đây",
    "upload_text.click_to_upload": "Bấm để chọn tệp",
}
logger = logging.getLogger(__name__)
PAGE = Path(__file__).parent / "page"


def is_open_to_others(host: str) -> bool:
    """Can other machines reach a page that listens there?"""
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


def read_auth(auth: str | None) -> tuple[str, str] | None:
    """Name and password out of "name:password". Raises BadParameter if it is none."""
    if not auth:
        return None
    name, _, password = auth.partition(":")
    if not (name and password):
        raise typer.BadParameter("cần có dạng tên:mật-khẩu", param_hint="--auth")
    return name, password


def build_page(labelling: bool = True) -> gr.Blocks:
    """The page, from top to bottom.

    Args:
        labelling: may visitors correct labels and train?
    """
    # What users upload and download is removed after a day.
    with gr.Blocks(
        title="Chủ đề – phân loại và tóm tắt bài viết",
        analytics_enabled=False,
        delete_cache=(3_600, 86_400),
    ) as page:
        gr.HTML(
            "<h1>Chủ đề và tóm tắt bài viết</h1>"
            "<p>Dán một bài báo, hoặc thả cả một tệp: chương trình tóm tắt bài bằng câu của chính "
            "bài ấy, cho biết bài viết về chủ đề nào và câu nào nói lên điều đó. Mọi việc diễn ra "
            "trên máy này, không gửi dữ liệu đi đâu.</p>",
            elem_classes="chude-head",
        )
        with gr.Tab("Một bài", id="article-tab"):
            build_article_tab(labelling)
        with gr.Tab("Nhiều bài (tệp)", id="corpus-tab"):
            build_corpus_tab()
        if labelling:
            with gr.Tab("Huấn luyện", id="training-tab") as tab:
                build_training_tab(tab)
    return page


def main(
    host: Annotated[str, typer.Option(help="Địa chỉ lắng nghe.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Cổng.")] = 7860,
    browser: Annotated[bool, typer.Option(help="Mở trình duyệt.")] = True,
    auth: Annotated[
        str | None,
        typer.Option(envvar="CHUDE_AUTH", help="tên:mật-khẩu để vào trang."),
    ] = None,
) -> None:
    """Mở trang phân loại bài viết.

    Khi trang mở cho máy khác (--host) mà không có mật khẩu (--auth) thì không sửa nhãn và không
    huấn luyện được trên trang.
    """
    logging.basicConfig(level=logging.INFO)
    password = read_auth(auth)
    labelling = password is not None or not is_open_to_others(host)
    if not labelling:
        logger.warning("the page is open to others without --auth: no labelling, no training")
    load_classifier()  # so that the first user does not wait for them
    load_summarizer()
    # Fonts by name only: the themes' own would be fetched from the network.
    fonts = ["Segoe UI", "Noto Sans", "Roboto", "Arial", "sans-serif"]
    build_page(labelling).launch(
        server_name=host,
        server_port=port,
        auth=password,
        inbrowser=browser,
        theme=gr.themes.Default(primary_hue="red", font=fonts, font_mono=["monospace"]),
        css_paths=PAGE / "page.css",
        head=f"<script>{(PAGE / 'page.js').read_text('utf-8')}</script>",
        footer_links=[],
        i18n=gr.I18n(en=GRADIO_TEXTS),
        max_file_size=f"{MAX_MEGABYTES}mb",
    )


if __name__ == "__main__":
    typer.run(main)
