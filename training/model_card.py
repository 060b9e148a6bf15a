"""The model card of a theme checkpoint, written by the run that made it."""
from pathlib import Path
def write_model_card(checkpoint: Path) -> None:
    pass
