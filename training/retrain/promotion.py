"""A candidate takes the place of the version in use, if it is not worse."""

from __future__ import annotations

from pathlib import Path

from model.errors import InputError
from model.registry import SHIPPED, ModelRegistry, Version
from training.retrain.candidate import compare_again


def promote_version(name: str, force: bool = False, folder: Path | None = None) -> Version:
    """Use a version from now on.

    A version that was compared with another than the one in use is compared again. The shipped
    version and those that were in use before may always come back.

    Raises InputError if there is no such version, or if it is worse and not forced.
    """
    registry = ModelRegistry(folder)
    version, current = registry.find(name), registry.current()
    if version.name == current.name:
        return version
    if not force and version.name != SHIPPED and version.name not in registry.history():
        if version.record["parent"] == current.name:
            comparison = version.record["comparison"]
        else:
            comparison = compare_again(version.name, folder)
        if comparison["against"]:
            raise InputError(
                "Không đưa vào dùng vì mô hình kém hơn: "
                + " ".join(comparison["against"])
                + " Vẫn muốn dùng thì thêm --force (trên trang: đánh dấu ô bên cạnh)."
            )
    return registry.promote(version.name)
