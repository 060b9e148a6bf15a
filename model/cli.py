"""The command line `chude`."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from importlib.metadata import version as package_version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from model.article import MAX_CHARACTERS, Article
from model.errors import InputError

if TYPE_CHECKING:  # torch takes seconds that --help need not wait for
    from model.summarizer import Summarizes

app = typer.Typer(
    help="Phân loại bài báo tiếng Việt theo chủ đề quản lý nhà nước và tóm tắt bài.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
errors = Console(stderr=True, highlight=False, soft_wrap=True)
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


InputArgument = Annotated[Path, typer.Argument(metavar="INPUT", help="Tệp .jsonl đầu vào.")]
OutputOption = Annotated[Path, typer.Option(help="Tệp .jsonl kết quả.")]
LengthOption = Annotated[
    SummaryLength,
    typer.Option(help="Độ dài tóm tắt: short (một câu), medium (hai, ba câu)."),
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


def fail(message: str) -> typer.Exit:
    """Tell the reason on standard error; the caller raises what comes back."""
    errors.print(f"Lỗi: {message}", style="red", markup=False)
    return typer.Exit(1)


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


def check_files(input_file: Path, output: Path) -> int:
    """How many rows there are to do; exits with the reason where a file cannot be used."""
    if input_file.suffix != ".jsonl":
        raise typer.BadParameter("hiện chỉ nhận tệp .jsonl", param_hint="INPUT")
    if not input_file.is_file():
        raise fail(f"Không có tệp '{input_file}'.")
    if not output.parent.is_dir():
        raise fail(f"Không có thư mục '{output.parent}' để ghi kết quả.")
    if output.exists() and not output.is_file():
        raise fail(f"'{output}' không phải tệp thường, không ghi kết quả vào đó được.")
    if output.exists() and output.samefile(input_file):
        raise fail("Tệp kết quả trùng với tệp đầu vào. Hãy chọn tên khác.")
    try:
        with input_file.open("rb") as lines:
            total = sum(1 for line in lines if line.strip())
    except OSError as error:
        raise fail(f"Không đọc được tệp '{input_file}': {error.strerror}.") from error
    if not total:
        raise fail(f"Tệp '{input_file}' không có dòng nào.")
    return total


def run_rows(
    input_file: Path,
    output: Path,
    total: int,
    task_name: str,
    describe: Callable[[list[Article]], list[dict[str, Any]]],
) -> None:
    """Describe every row of a file into another, with a progress bar; exits with 1 if rows failed.

    Args:
        input_file, output: .jsonl files.
        total: rows of the input.
        task_name: stands before the bar.
        describe: fields for each of a batch of articles.
    """
    from model.jsonl import process_rows, read_rows, write_records

    failures: list[str] = []

    def watched(records: Iterator[dict[str, Any]], progress: Progress) -> Iterator[dict[str, Any]]:
        task = progress.add_task(task_name, total=total)
        for record in records:
            if "error" in record:
                failures.append(record["error"])
            progress.advance(task)
            yield record

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    try:
        with Progress(*columns, TimeRemainingColumn(), console=errors) as progress:
            write_records(watched(process_rows(read_rows(input_file), describe), progress), output)
    except OSError as error:
        raise fail(f"Không ghi được kết quả: {error.strerror}. Kết quả cũ còn nguyên.") from error
    for failure in failures:
        errors.print(failure, markup=False, style="yellow")
    if failures:
        raise fail(f"{len(failures)}/{total} dòng không xử lý được; các dòng khác đã ghi.")


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
    input_file: InputArgument,
    output: OutputOption,
    summarize: Annotated[bool, typer.Option(help="Thêm trường summary.")] = False,
    length: LengthOption = SummaryLength.medium,
) -> None:
    """Phân loại từng dòng của một tệp .jsonl (id, text; hoặc title, lead, body)."""
    total = check_files(input_file, output)
    from model.analysis import load_classifier, load_summarizer
    from model.jsonl import describe_summaries, describe_themes

    classifier = load_classifier()
    summarizer = load_summarizer() if summarize else None

    def describe(articles: list[Article]) -> list[dict[str, Any]]:
        records = describe_themes(articles, classifier)
        if summarizer is not None:
            summaries = describe_summaries(articles, summarizer, length.value)
            records = [r | s for r, s in zip(records, summaries, strict=True)]
        return records

    run_rows(input_file, output, total, "Phân loại", describe)


@app.command("summarize")
def summarize_file(
    input_file: InputArgument,
    output: OutputOption,
    length: LengthOption = SummaryLength.medium,
    mode: ModeOption = SummaryMode.extractive,
    writer: WriterOption = None,
) -> None:
    """Tóm tắt từng dòng của một tệp .jsonl (id, text; hoặc title, lead, body)."""
    total = check_files(input_file, output)
    from model.jsonl import describe_summaries

    try:
        summarizer = make_summarizer(mode, writer)
    except InputError as error:
        raise fail(str(error)) from error

    def describe(articles: list[Article]) -> list[dict[str, Any]]:
        return describe_summaries(articles, summarizer, length.value)

    run_rows(input_file, output, total, "Tóm tắt", describe)


@app.command()
def version() -> None:
    """In phiên bản."""
    typer.echo(package_version("chude"))


def main() -> None:
    """Entry point of the console script."""
    logging.basicConfig(level=logging.WARNING)
    app()
