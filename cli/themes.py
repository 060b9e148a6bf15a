"""`chude themes`: the themes that the next model will have."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from cli.console import add_row, output, reasons
from model.errors import InputError

themes_app = typer.Typer(help="Danh mục chủ đề: xem, đổi tên, bỏ.", no_args_is_help=True)
ThemeArgument = Annotated[str, typer.Argument(help="Khóa hoặc tên chủ đề.")]


def find(name: str) -> tuple[str, dict[str, str]]:
    """The key of a theme and all themes. Raises InputError if there is no such theme."""
    from labels.names import find_theme, similar_theme
    from labels.store import LabelStore
    from model.registry import ModelRegistry

    themes = LabelStore().themes(ModelRegistry().current().themes)
    key = find_theme(name, themes)
    if key is None:
        meant = similar_theme(name, themes)
        hint = f" Có phải ý bạn là '{meant}'?" if meant else f" Các chủ đề: {', '.join(themes)}."
        raise InputError(f"Không có chủ đề '{name}'.{hint}")
    return key, themes


@themes_app.command("list")
def list_themes() -> None:
    """Các chủ đề mà mô hình huấn luyện lần tới sẽ có."""
    from labels.store import LabelStore
    from model.registry import ModelRegistry

    with reasons():
        known = ModelRegistry().current().themes
        themes = LabelStore().themes(known)
    table = Table("Khóa", "Tên", "Mô hình đang dùng")
    for key, label in themes.items():
        state = "chưa có" if key not in known else "có" if known[key] == label else known[key]
        add_row(table, key, label, state)
    output.print(table)


@themes_app.command()
def rename(
    theme: ThemeArgument, name: Annotated[str, typer.Argument(help="Tên mới trên màn hình.")]
) -> None:
    """Đổi tên một chủ đề; khóa của nó giữ nguyên. Có hiệu lực với mô hình huấn luyện lần tới."""
    from labels.names import find_theme, theme_key
    from labels.store import LabelStore

    with reasons():
        key, themes = find(theme)
        theme_key(name)  # refuses what is no name
        if find_theme(name, themes) not in (None, key):
            raise InputError(f"Đã có chủ đề tên '{name}'.")
        LabelStore().name_theme(key, name.strip())
    output.print(f"Chủ đề {key} đổi tên thành '{name}'. Hãy chạy chude train.", markup=False)


@themes_app.command()
def remove(theme: ThemeArgument) -> None:
    """Bỏ một chủ đề khỏi mô hình huấn luyện lần tới; nhãn của nó vẫn ở trong kho."""
    from labels.store import LabelStore

    with reasons():
        key, themes = find(theme)
        if len(themes) == 1:
            raise InputError("Phải còn ít nhất một chủ đề.")
        LabelStore().remove_theme(key, themes[key])
    output.print(f"Đã bỏ chủ đề '{themes[key]}'. Hãy chạy chude train.", markup=False)
