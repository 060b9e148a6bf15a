"""Where a user's labels and models lie."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path


def home() -> Path:
    """The folder that `CHUDE_HOME` names, or else the user's own data folder; it need not exist."""
    chosen = os.environ.get("CHUDE_HOME")
    return Path(chosen) if chosen else user_data_path("chude", appauthor=False)
