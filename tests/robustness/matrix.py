"""What came of all faults in all layouts, and of every flipped bit, as tables."""

from collections.abc import Iterator
from dataclasses import dataclass, field
import math
from pathlib import Path

from .faults import FAULTS
from .site import Layout
from .trial import LONG, SHORT, Outcome

BEGIN, END = "<!-- matrix -->\n", "<!-- end of matrix -->\n"
"""Between what a document holds the matrix."""


@dataclass
class Matrix:
    """The outcomes of a run."""

    is_wanted: bool
    outcomes: list[Outcome] = field(default_factory=list)
    flips: str = ""

    def __str__(self) -> str:
        """Return both as Markdown tables."""
        return "\n".join([*self._lines(), "", self.flips])

    def write_into(self, document: Path) -> None:
        """Put the matrix into a document, in place of the one that is there."""
        text = document.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        after = rest.split(END)[1]
        document.write_text(
            f"{before}{BEGIN}\n{self}\n\n{END}{after}", encoding="utf-8"
        )

    def _lines(self) -> Iterator[str]:
        yield f"| Fault | {' | '.join(layout.value for layout in Layout)} |"
        yield "| --- " * (1 + len(Layout)) + "|"
        found = {(each.fault, each.layout): each for each in self.outcomes}
        for fault in FAULTS:
            cells = (
                _cell(found.get((fault.name, layout)))
                if layout in fault.layouts
                else "can't be"
                for layout in Layout
            )
            yield f"| {fault.name} | {' | '.join(cells)} |"


def _cell(outcome: Outcome | None) -> str:
    if outcome is None:
        return "not tried"
    if outcome.problems:
        return f"**fail**: {'; '.join(outcome.problems)}"
    if outcome.noticed is None:
        return "pass, harmless"
    times = (outcome.noticed, outcome.recovered[SHORT], outcome.recovered[LONG])
    return f"pass {' / '.join(_seconds(each) for each in times)}"


def _seconds(duration: float | None) -> str:
    return "-" if duration is None else str(math.ceil(duration))
