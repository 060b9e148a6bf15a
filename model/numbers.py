"""Numbers as they are written in Vietnamese: 1.234 and 0,5."""

from __future__ import annotations


def number(value: int) -> str:
    """A whole number, its thousands apart."""
    return f"{value:,}".replace(",", ".")


def decimal(value: float, digits: int = 1) -> str:
    """A number with a decimal comma."""
    return f"{value:.{digits}f}".replace(".", ",")


def percent(share: float, digits: int = 1) -> str:
    """A share of one, in percent."""
    return decimal(100 * share, digits) + " %"


def duration(seconds: float | None) -> str:
    """Hours, minutes and seconds as "1:02:03"; dashes if unknown."""
    if seconds is None:
        return "--:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
