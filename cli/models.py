"""`chude models`: the versions on this machine, and which one is used."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from cli.console import add_row, errors, output, reasons
from model.numbers import decimal

models_app = typer.Typer(
    help="Các phiên bản mô hình: xem, so sánh, đưa vào dùng, quay lại, xóa.", no_args_is_help=True
)
SHOWN = 20  # articles on which two versions differ
NameArgument = Annotated[str, typer.Argument(help="Tên mô hình, hoặc latest: mô hình mới nhất.")]


def f1_text(measure: dict[str, float] | None) -> str:
    """F1 with its interval; a dash where the version does not know the theme."""
    if measure is None:
        return "–"
    low, high = decimal(measure["low"], 2), decimal(measure["high"], 2)
    return f"{decimal(measure['f1'], 2)} ({low}–{high})"


def show_comparison(comparison: dict[str, Any]) -> None:
    """Per theme F1 of both versions, what speaks against the candidate, and where they differ."""
    table = Table("Chủ đề", "Bài đo", "F1 đang dùng", "F1 mô hình mới", "Nhận nhầm bài khác")
    for theme in comparison["themes"]:
        add_row(
            table,
            theme["label"],
            f"{theme['positives']}/{theme['graded']}",
            f1_text(theme["current"]),
            f1_text(theme["candidate"]),
            f"{theme['alarms']}/{theme['ungraded']}" if theme["ungraded"] else "–",
        )
    output.print(table)
    output.print("Trong ngoặc: khoảng tin cậy 90%; càng ít bài đo, khoảng càng rộng.")
    for reason in comparison["against"]:
        errors.print(f"Lưu ý: {reason}", style="yellow", markup=False)
    differences = comparison["differences"]
    if differences:
        output.print(f"\nHai mô hình khác nhau ở {len(differences)} bài:")
    for item in differences[:SHOWN]:
        before = ", ".join(item["current"]) or "không"
        after = ", ".join(item["candidate"]) or "không"
        truth = ", ".join(item["labels"]) or "không"
        line = f"  {item['article'][:70]}: {before} → {after} (nhãn: {truth})"
        output.print(line, markup=False)


@models_app.command("list")
def list_models() -> None:
    """Mọi phiên bản; dấu * là phiên bản đang dùng."""
    from model.registry import ModelRegistry

    with reasons():
        registry = ModelRegistry()
        current = registry.current().name
        table = Table("", "Tên", "Tạo lúc", "Cách", "Từ", "Chủ đề")
        for version in registry.versions():
            record = version.record
            add_row(
                table,
                "*" if version.name == current else "",
                version.name,
                record.get("created", "đi kèm chương trình"),
                record.get("mode", ""),
                record.get("parent", ""),
                ", ".join(version.themes),
            )
    output.print(table)


@models_app.command()
def compare(name: NameArgument = "latest") -> None:
    """So sánh một mô hình với mô hình đang dùng, trên những nhãn không dùng để học."""
    from training.retrain.candidate import compare_again

    with reasons(), errors.status("Đang đo…"):
        comparison = compare_again(name)
    show_comparison(comparison)


@models_app.command()
def promote(
    name: NameArgument,
    force: Annotated[bool, typer.Option("--force", help="Cả khi mô hình kém hơn.")] = False,
) -> None:
    """Đưa một mô hình vào dùng; trang đang mở dùng ngay, không cần khởi động lại."""
    from training.retrain.promotion import promote_version

    with reasons(), errors.status("Đang đo…"):
        version = promote_version(name, force)
    output.print(f"Đang dùng mô hình '{version.name}'.", markup=False)


@models_app.command()
def rollback() -> None:
    """Quay lại mô hình dùng trước đó."""
    from model.registry import ModelRegistry

    with reasons():
        version = ModelRegistry().rollback()
    output.print(f"Đã quay lại mô hình '{version.name}'.", markup=False)


@models_app.command()
def remove(name: NameArgument) -> None:
    """Xóa một mô hình không dùng nữa."""
    from model.registry import ModelRegistry

    with reasons():
        ModelRegistry().remove(name)
    output.print(f"Đã xóa mô hình '{name}'.", markup=False)
