"""How far a run is."""

from __future__ import annotations

from dataclasses import dataclass

from model.numbers import decimal, duration, number


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        done: rows with a result, those of an earlier run included. total: all rows.
        failures: rows of `done` that have an error instead.
        rate: rows per second in this run; 0 before the first.
    """

    done: int
    total: int
    failures: int
    rate: float

    @property
    def seconds_left(self) -> float | None:
        """None before the first row is done."""
        return (self.total - self.done) / self.rate if self.rate else None

    def describe(self) -> str:
        """Rate, time left and failures, in words."""
        return (
            f"{decimal(self.rate)} dòng/giây, còn {duration(self.seconds_left)}, "
            f"{number(self.failures)} dòng lỗi"
        )
