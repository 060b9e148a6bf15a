"""What every tab says in the same way."""

from __future__ import annotations

from html import escape


def render_error(message: str) -> str:
    """The reason why there is no result."""
    return f'<div class="chude-error" role="alert">{escape(message)}</div>'


def file_error(error: OSError) -> str:
    """A disk that is full or closed, in the user's words."""
    return f"Không đọc hoặc ghi được tệp: {error.strerror or type(error).__name__}."


def render_bar(theme: str, label: str, share: float, figure: str, color: str, faint: bool) -> str:
    """A theme's name, a bar and a figure behind it.

    Args:
        theme, label: the theme's key and its name on screen.
        share: length of the bar, from 0 to 1.
        figure: what stands behind it.
        color: of the bar, as CSS has it. faint: is it of no importance?
    """
    return (
        f'<div class="chude-bar{" faint" if faint else ""}" data-theme="{escape(theme)}">'
        f"<span>{escape(label)}</span>"
        f'<div class="track" role="img" aria-label="{escape(figure)}">'
        f'<div class="fill" style="width:{100 * share:.1f}%;background:{color}"></div></div>'
        f'<span class="number">{escape(figure)}</span></div>'
    )


def render_status(message: str) -> str:
    """Where a run is, in words."""
    return f'<div class="chude-progress" role="status">{escape(message)}</div>'
