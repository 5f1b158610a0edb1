"""Values in time as rows of the recorder's statistics."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from statistics import fmean

from homeassistant.components.recorder.models import StatisticData

PERIOD = timedelta(minutes=5)
"""What a short-term row covers."""


def counter_rows(
    moments: Sequence[datetime], values: Sequence[float], before: float
) -> list[StatisticData]:
    """Return the short-term rows of a counter with these values at these moments.

    ``moments`` are a period apart; ``before`` is the sum that was counted ahead of them.
    """
    return [
        StatisticData(start=start, state=value, sum=before + value - values[0])
        for start, value in zip(moments, values[1:], strict=False)
    ]


def measurement_rows(
    moments: Sequence[datetime], values: Sequence[float]
) -> list[StatisticData]:
    """Return the short-term rows of a sensor that held each value from its moment to the next.

    ``moments`` are a period apart.
    """
    return [
        StatisticData(start=start, mean=value, min=value, max=value)
        for start, value in zip(moments[:-1], values, strict=False)
    ]


def hourly_rows(short_term: Sequence[StatisticData]) -> list[StatisticData]:
    """Return the rows of all hours that have come to an end, as the recorder makes them."""
    hours = groupby(short_term, lambda row: row["start"].replace(minute=0))
    return [
        _hour(start, rows)
        for start, rows in ((start, list(group)) for start, group in hours)
        if rows[-1]["start"] + PERIOD == start + timedelta(hours=1)
    ]


def _hour(start: datetime, rows: Sequence[StatisticData]) -> StatisticData:
    if "sum" in rows[-1]:
        return {**rows[-1], "start": start}
    means = [row["mean"] for row in rows]
    return StatisticData(start=start, mean=fmean(means), min=min(means), max=max(means))
