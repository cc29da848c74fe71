"""What each function is given, as the table in the documentation of services/lambda says."""

from service import ROOT


def table(first: str, lead: int) -> dict[str, list[str]]:
    """A table of the documentation in services/lambda/src/lib.rs: first cell to the others."""
    text = (ROOT / "services/lambda/src/lib.rs").read_text()
    lines = [line.removeprefix("//! |").rstrip().removesuffix("|") for line in text.splitlines() if line.startswith("//! |")]
    cells = {row[0].strip(): row[lead:] for row in (line.split("|") for line in lines)}
    assert first in cells
    return cells


def functions_of_the_table() -> dict[str, int]:
    """Each function's column there."""
    return {"Intake": 0, "Projector": 1, "Timekeeper": 2, "Notifier": 3, "Gateway": 4, "Checkpointer": 5}
