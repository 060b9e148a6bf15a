"""Names of themes as people write them, and the keys that they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

from model.corpus.columns import plain_name
from model.errors import InputError

MAX_NAME = 80
SEPARATORS = re.compile(r"[;|\n\r]")
COMMA = re.compile(r",(?![^(]*\))")  # none inside brackets: "Bầu cử (Quốc hội, HĐND)" is one name


def theme_key(name: str) -> str:
    """The key of a new theme: "Chuyển đổi số" becomes "chuyen_doi_so".

    Raises InputError if the name has no letters, or is too long to be one.
    """
    key = plain_name(name).replace(" ", "_")
    if not re.search("[a-z]", key) or len(name) > MAX_NAME or SEPARATORS.search(name):
        raise InputError(
            f"'{name[:MAX_NAME]}' không dùng làm tên chủ đề được: cần có chữ cái, "
            f"không quá {MAX_NAME} ký tự, không có dấu chấm phẩy hay gạch đứng."
        )
    return key


def find_theme(name: str, themes: Mapping[str, str]) -> str | None:
    """The key of a theme by its key or its name, whatever its case and accents; None if new.

    Args:
        themes: names by key.
    """
    plain = plain_name(name)
    whole: dict[str, str] = {}
    short: dict[str, list[str]] = {}
    for key, label in themes.items():
        whole.setdefault(plain_name(key), key)
        whole.setdefault(plain_name(label), key)
        # "Bầu cử" means "Bầu cử (Quốc hội, HĐND)", if no other begins like that.
        short.setdefault(plain_name(label.split("(")[0]), []).append(key)
    if not plain:
        return None
    alone = short.get(plain, [])
    return whole.get(plain) or (alone[0] if len(alone) == 1 else None)


def similar_theme(name: str, themes: Mapping[str, str]) -> str | None:
    """The key of the theme that somebody may have meant who wrote `name`; None if there is none."""
    plain = {plain_name(text): key for key, label in themes.items() for text in (key, label)}
    found = get_close_matches(plain_name(name), plain, n=1, cutoff=0.8)
    return plain[found[0]] if found else None


def split_names(cell: str, themes: Mapping[str, str]) -> list[str]:
    """The names in a cell of several: between semicolons, bars or line ends, else commas."""
    names = [name.strip() for name in SEPARATORS.split(cell)]
    if len(names) == 1 and find_theme(cell, themes) is None:
        names = [name.strip() for name in COMMA.split(cell)]
    return list(dict.fromkeys(name for name in names if name))
