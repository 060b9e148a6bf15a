"""The command line `chude`."""

from __future__ import annotations

import json
import logging
import os
import sys
from enum import StrEnum
from importlib.metadata import version as package_version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from cli.console import errors, fail
from cli.labels import labels_app
from cli.models import models_app
from cli.themes import themes_app
from cli.train import train
from model.article import MAX_CHARACTERS
from model.errors import InputError

if TYPE_CHECKING:  # torch takes seconds that --help need not wait for
    from model.corpus.worker import Settings
    from model.summarizer import Summarizes

app = typer.Typer(
    help="Phân loại bài báo tiếng Việt theo chủ đề quản lý nhà nước và tóm tắt bài.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(labels_app, name="labels")
app.add_typer(themes_app, name="themes")
app.add_typer(models_app, name="models")
app.command()(train)
MAX_BYTES = 4 * MAX_CHARACTERS  # no character takes more in UTF-8
MODE_NAMES = {"extractive": "câu của bài viết", "abstractive": "mô hình viết"}
NOTHING = "Không có câu nào để tóm tắt."


class SummaryLength(StrEnum):
    """Lengths of a summary, as `model.summarizer.LENGTHS` has them."""

    short = "short"
    medium = "medium"


class SummaryMode(StrEnum):
    """How a summary is made."""

    extractive = "extractive"
    abstractive = "abstractive"


class EngineName(StrEnum):
    """What works on a corpus."""

    local = "local"
    ray = "ray"


InputArgument = Annotated[
    str, typer.Argument(metavar="INPUT", help="Bảng, thư mục hoặc tệp .zip đầu vào.")
]
OutputOption = Annotated[
    Path, typer.Option(help="Tệp kết quả: .jsonl, .csv, .tsv, .xlsx hoặc .parquet.")
]
TextColumnOption = Annotated[
    list[str] | None,
    typer.Option(help="Cột chứa bài viết, nếu tên cột không thông dụng; dùng được nhiều lần."),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(min=0, help="Số tiến trình (mặc định: số nhân; 0: ngay trong tiến trình này)."),
]
EngineOption = Annotated[
    EngineName, typer.Option(help="local: máy này; ray: Ray, trên một hay nhiều máy.")
]
RayAddressOption = Annotated[
    str | None, typer.Option(help="Địa chỉ cụm Ray (mặc định: Ray ngay trên máy này).")
]
LengthOption = Annotated[
    SummaryLength,
    typer.Option(help="Độ dài tóm tắt: short (một câu), medium (tối đa ba câu)."),
]
ModeOption = Annotated[
    SummaryMode,
    typer.Option(
        help="extractive: câu của chính bài viết; abstractive: mô hình viết, có kiểm tra."
    ),
]
WriterOption = Annotated[
    Path | None, typer.Option(help="Thư mục mô hình viết tóm tắt (cho --mode abstractive).")
]


def read_text(file: str) -> str:
    """The text of a file or, for "-", of standard input. Raises InputError."""
    try:
        if file == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(file).open("rb") as source:
                data = source.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"Không đọc được tệp '{file}': {error.strerror}.") from error
    if len(data) > MAX_BYTES:
        raise InputError(
            f"Văn bản quá dài (giới hạn {MAX_CHARACTERS} ký tự). "
            "Hãy tách thành từng bài viết riêng."
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            "Nội dung không phải chữ UTF-8 (có vẻ là tệp nhị phân hoặc bảng mã cũ). "
            "Hãy lưu lại tệp ở dạng văn bản UTF-8."
        ) from error


def make_summarizer(mode: SummaryMode, writer: Path | None) -> Summarizes:
    """The summarizer of a mode. Raises InputError if there is no model for it."""
    from model.analysis import load_summarizer

    if mode is SummaryMode.extractive:
        if writer is not None:
            raise typer.BadParameter("chỉ dùng với --mode abstractive", param_hint="--writer")
        return load_summarizer()
    if writer is None:
        raise InputError(
            "Mô hình viết tóm tắt không đi kèm chương trình. Hãy huấn luyện một mô hình (README, "
            "training.train_summarizer) và chỉ thư mục của nó bằng --writer."
        )
    from model.written_summarizer import WrittenSummarizer

    return WrittenSummarizer(writer, load_summarizer())


def run_on_corpus(name: str, input_name: str, output: Path, settings: Settings, **how: Any) -> None:
    """Run it, as `model.corpus.command.run_command` says; exits with the reason if it cannot."""
    from model.corpus.command import run_command
    from model.corpus.open_source import SUFFIXES, is_readable

    if not is_readable(input_name):
        message = f"nhận thư mục hoặc tệp {', '.join(SUFFIXES)}"
        raise typer.BadParameter(message, param_hint="INPUT")
    if how["address"] and how["engine"] != "ray":
        raise typer.BadParameter("chỉ dùng với --engine ray", param_hint="--ray-address")
    try:
        run_command(name, input_name, output, settings, errors, **how)
    except InputError as error:
        raise fail(str(error)) from error


@app.command()
def analyze(
    file: Annotated[str, typer.Argument(help="Tệp văn bản UTF-8, hoặc - để đọc từ đầu vào chuẩn.")],
    as_json: Annotated[bool, typer.Option("--json", help="In một đối tượng JSON.")] = False,
    length: LengthOption = SummaryLength.medium,
    mode: ModeOption = SummaryMode.extractive,
    writer: WriterOption = None,
) -> None:
    """Phân tích một bài: tóm tắt, chủ đề và những câu làm căn cứ."""
    from model.analysis import Analysis, analyze

    def report(analysis: Analysis) -> None:
        console = Console(highlight=False)
        console.print(analysis.title or "(không có tiêu đề)", style="bold", markup=False)
        if analysis.primary is None:
            console.print("Bài viết không thuộc chủ đề nào trong danh mục.")
        console.print(f"\nTóm tắt ({MODE_NAMES[analysis.summary.mode]})", style="bold")
        console.print(f"  {analysis.summary.text or NOTHING}", markup=False)
        topics = {t: t.score for t in analysis.themes if t.is_topic}
        touched = {
            t: t.mention_score for t in analysis.themes if t.is_mentioned and t not in topics
        }
        for heading, scores in (("Chủ đề chính", topics), ("Có nhắc đến", touched)):
            if scores:
                console.print(f"\n{heading}", style="bold")
            for theme, score in sorted(scores.items(), key=lambda item: -item[1]):
                console.print(f"  {theme.label}: {score:.0%}", markup=False)
                for evidence in analysis.evidence:
                    if evidence.theme == theme.theme:
                        line = f"    – {evidence.sentence} ({evidence.score:.0%})"
                        console.print(line, markup=False, style="dim")

    try:
        summarizer = make_summarizer(mode, writer)
        analysis = analyze(read_text(file), summarizer=summarizer, length=length.value)
    except InputError as error:
        raise fail(str(error)) from error
    if as_json:
        typer.echo(json.dumps(analysis.to_json(), ensure_ascii=False, indent=2))
    else:
        report(analysis)


@app.command()
def classify(
    input_name: InputArgument,
    output: OutputOption,
    summarize: Annotated[bool, typer.Option(help="Thêm tóm tắt.")] = False,
    length: LengthOption = SummaryLength.medium,
    text_column: TextColumnOption = None,
    report: Annotated[
        Path | None, typer.Option(help="Thư mục để ghi trang báo cáo HTML (index.html).")
    ] = None,
    exact: Annotated[
        bool,
        typer.Option(help="Đọc hết cả những bài mà từ ngữ đã cho thấy không thuộc chủ đề nào."),
    ] = False,
    workers: WorkersOption = None,
    engine: EngineOption = EngineName.local,
    ray_address: RayAddressOption = None,
) -> None:
    """Phân loại từng dòng của một bảng, hoặc từng tài liệu của một thư mục hay tệp .zip.

    Bảng: .jsonl, .csv, .tsv, .xlsx, .parquet, bộ dữ liệu Hugging Face đã lưu. Tài liệu: .txt,
    .html, .docx, .pdf. Kết quả có đủ các cột của bảng đầu vào. Bị ngắt giữa chừng thì chạy lại
    đúng lệnh cũ để làm tiếp.
    """
    from model.corpus.worker import Settings

    settings = Settings(summarize=summarize, length=length.value, exact=exact)
    run_on_corpus(
        "Phân loại",
        input_name,
        output,
        settings,
        text_columns=text_column or (),
        report=report,
        workers=workers,
        engine=engine.value,
        address=ray_address,
    )


@app.command("summarize")
def summarize_corpus(
    input_name: InputArgument,
    output: OutputOption,
    length: LengthOption = SummaryLength.medium,
    mode: ModeOption = SummaryMode.extractive,
    writer: WriterOption = None,
    text_column: TextColumnOption = None,
    workers: WorkersOption = None,
    engine: EngineOption = EngineName.local,
    ray_address: RayAddressOption = None,
) -> None:
    """Tóm tắt từng dòng của một bảng, hoặc từng tài liệu, như lệnh classify."""
    from model.corpus.worker import Settings

    try:
        if mode is not SummaryMode.extractive or writer is not None:
            make_summarizer(mode, writer)  # says what is wrong before any work is done
    except InputError as error:
        raise fail(str(error)) from error
    settings = Settings(False, True, length.value, str(writer) if writer else None)
    run_on_corpus(
        "Tóm tắt",
        input_name,
        output,
        settings,
        text_columns=text_column or (),
        workers=workers,
        engine=engine.value,
        address=ray_address,
    )


@app.command()
def version() -> None:
    """In phiên bản."""
    typer.echo(package_version("chude"))


def main() -> None:
    """Entry point of the console script."""
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # nor those of loading weights
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    logging.getLogger("model.corpus").setLevel(logging.INFO)
    app()


if __name__ == "__main__":
    main()
