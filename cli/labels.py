"""`chude labels`: labels come in, go out, and what to label next."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from cli.console import add_row, errors, output, reasons, user_name
from model.errors import InputError

if TYPE_CHECKING:
    from labels.importing import Reading

labels_app = typer.Typer(help="Kho nhãn: nhập, xuất, gợi ý bài nên gán nhãn.", no_args_is_help=True)
SHOWN = 20  # of a list of doubts

TextColumnOption = Annotated[
    list[str] | None,
    typer.Option(help="Cột chứa bài viết, nếu tên cột không thông dụng; dùng được nhiều lần."),
]


def show_some(heading: str, lines: list[str]) -> None:
    """The first lines of a list, and how many there are."""
    if not lines:
        return
    errors.print(f"{heading} ({len(lines)}):", style="yellow", markup=False)
    for line in lines[:SHOWN]:
        errors.print(f"  {line}", markup=False)
    if len(lines) > SHOWN:
        errors.print(f"  … và {len(lines) - SHOWN} nữa")


def confirm_new(reading: Reading, yes: bool) -> None:
    """Ask for every new theme whether it is one. Raises InputError if one is not."""
    for key, label in reading.new.items():
        errors.print(f"Chủ đề mới: '{label}' (khóa: {key})", markup=False)
        if meant := reading.similar.get(key):
            errors.print(f"  có phải ý bạn là '{meant}'?", style="yellow", markup=False)
    if reading.new and not yes and not sys.stdin.isatty():
        raise InputError(
            "Tệp có chủ đề chưa biết; chưa nhập gì. Thêm --yes nếu đó đúng là chủ đề mới, hoặc "
            "sửa lại tên trong tệp."
        )
    for label in () if yes else reading.new.values():
        if not typer.confirm(f"Thêm chủ đề '{label}'?", err=True):
            raise InputError("Chưa nhập gì. Hãy sửa lại tên chủ đề trong tệp rồi nhập lại.")


@labels_app.command("import")
def import_labels(
    file: Annotated[str, typer.Argument(help="Bảng có bài viết và cột nhãn.")],
    text_column: TextColumnOption = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Nhận mọi chủ đề mới, không hỏi.")
    ] = False,
    author: Annotated[str | None, typer.Option(help="Người gán nhãn.")] = None,
) -> None:
    """Nhập nhãn từ một bảng (.jsonl, .csv, .tsv, .xlsx, .parquet).

    Cột "labels" (hoặc "nhãn", "chủ đề") kể các chủ đề của bài, cách nhau bằng dấu chấm phẩy. Chủ đề
    có dùng trong tệp mà dòng này không kể được coi là "không có" ở dòng này; chủ đề tệp không hề
    dùng vẫn là "chưa biết".
    """
    from labels.importing import find_changes, read_labels, store_reading
    from labels.store import MAIN, LabelStore
    from model.registry import ModelRegistry

    with reasons():
        store = LabelStore()
        themes = store.themes(ModelRegistry().current().themes)
        reading = read_labels(file, themes, text_column or (), removed=store.removed_themes())
        show_some("Dòng không nhập được", reading.problems)
        if not reading.labelled:
            raise InputError("Không có bài nào có nhãn trong tệp.")
        confirm_new(reading, yes)
        find_changes(reading, store)
        show_some("Nhãn trong kho được thay", reading.changes)
        new = store_reading(reading, store, author or user_name())
    main = reading.count(MAIN)
    counts = ", ".join(f"{(themes | reading.new)[theme]} {n}" for theme, n in main.most_common())
    output.print(f"Đã nhập {len(reading.labelled)} bài, {new} nhãn mới. {counts}", markup=False)
    if reading.duplicates or reading.unread:
        output.print(f"Bỏ qua {reading.duplicates} dòng trùng, {reading.unread} dòng chưa đọc.")


@labels_app.command("export")
def export(
    output_file: Annotated[
        Path, typer.Option("--output", help="Tệp: .jsonl, .csv, .tsv, .xlsx hoặc .parquet.")
    ],
) -> None:
    """Xuất cả kho nhãn ra một bảng; nhập lại được nguyên vẹn."""
    from labels.exporting import export_labels
    from labels.store import LabelStore

    with reasons():
        count = export_labels(LabelStore(), output_file)
    output.print(f"Đã ghi {count} bài vào {output_file}.", markup=False)


@labels_app.command("suggest")
def suggest_articles(
    corpus: Annotated[str, typer.Argument(help="Bảng, thư mục hoặc .zip các bài chưa có nhãn.")],
    output_file: Annotated[Path, typer.Option("--output", help="Bảng để điền nhãn.")],
    count: Annotated[int, typer.Option(min=1, max=1000, help="Số bài.")] = 50,
    text_column: TextColumnOption = None,
) -> None:
    """Chọn những bài đáng gán nhãn nhất: mô hình còn phân vân, và khác nhau.

    Thay dấu "?" ở cột labels bằng các chủ đề của bài (để trống nếu không có chủ đề nào), rồi nhập
    lại bằng `chude labels import`. Dòng còn dấu "?" được bỏ qua.
    """
    from labels.store import LabelStore
    from labels.suggest import COLUMNS, suggest
    from labels.tables import write_table
    from model.analysis import load_classifier
    from model.corpus.columns import find_columns
    from model.corpus.open_source import open_source
    from model.corpus.run import check_output

    with reasons():
        source = open_source(corpus)
        check_output(corpus, output_file)
        columns = None
        if source.columns is not None or text_column:
            columns = find_columns(source.columns or text_column or (), text_column or ())
        known = {item.id for item in LabelStore().articles()}
        with errors.status("Đang đọc…") as status:
            records = suggest(
                source,
                None if source.has_documents else columns,
                load_classifier(),
                known,
                count,
                lambda done: status.update(f"Đã đọc {done} dòng…"),
            )
        if not records:
            raise InputError("Không còn bài nào chưa có nhãn.")
        write_table(output_file, COLUMNS, records)
    output.print(f"Đã ghi {len(records)} bài vào {output_file}.", markup=False)


@labels_app.command("show")
def show() -> None:
    """Số bài có nhãn trong kho, theo chủ đề."""
    from labels.store import LabelStore
    from labels.summary import count_labels
    from model.registry import ModelRegistry

    with reasons():
        store = LabelStore()
        counts = count_labels(store.articles(), store.themes(ModelRegistry().current().themes))
    table = Table("Chủ đề", "Khóa", "Nội dung chính", "Nhắc đến", "Không có", "Để đo")
    for count in counts:
        numbers = (count.main, count.touched, count.absent, count.held_out)
        add_row(table, count.label, count.theme, *map(str, numbers))
    output.print(table)
