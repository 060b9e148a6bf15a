"""What every tab says in the same way."""

from __future__ import annotations

from html import escape


def render_error(error: Exception | str) -> str:
    """The reason why there is no result."""
    return f'<div class="chude-error" role="alert">{escape(str(error))}</div>'
