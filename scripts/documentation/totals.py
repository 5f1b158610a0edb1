"""The page about totals: how each comes about, and what it does when something is missing."""

from custom_components.solax_parallel.a1_ess.totals import TOTALS, Rule
from custom_components.solax_parallel.tables import table

_INTRODUCTION = """\
# Totals

<!-- Written by scripts/docs from custom_components/solax_parallel/a1_ess/totals.py: change that. -->

The numbers of the device *Parallel group*. Each comes about by one rule:"""

_RULES = {
    Rule.SUM: "every inverter reads its own part, and the parts are added up",
    Rule.PRIMARY: "only the primary can tell",
    Rule.DERIVED: "calculated from other totals",
    Rule.MEAN: "the mean over the inverters",
}

_SIGNS = """\
Battery power is + while charging, grid power + while importing. The totals of one leg (`l1_`, `l2_`,
`backup_l1_`, `backup_l2_`) start disabled.

## When an inverter is missing

Every total has the attributes `members_included`, `members_expected`, `members_through_primary` (those
included that only the primary tells of) and `complete`; the state of charge also `weighting`
(`capacity` or `equal`).

- **Powers and state of charge** are those of the inverters that answer, and `complete` is false. With
  the option *Show powers and state of charge of a complete group only* they are unavailable instead.
  With the grid, load power is unknown then: the meter sees what the missing inverter delivers, so what
  the others deliver says nothing of the house.
- **Energies** keep what a missing inverter had counted, over restarts too, and catch up when it is
  back. They are unknown until every inverter was heard once.
- An inverter that **joins** a group which has told an energy already adds nothing of what it brings
  along. One that **leaves** takes nothing of what it had counted away.

## Which readings are believed

A value that can't be true is dropped and counted in the diagnostics, for each inverter and register.
The last good value stands in for it for three polls; then the entity is unavailable.

Counters are held against what they can have counted:

- What is read of a counter for the first time has to be borne out: it is read up to five times in a
  row, in the same poll, until three readings agree. A [module](module.md) is not asked more often than
  it can bear: there its next answers have to agree.
- A counter goes on from where it was, no faster than twice the rated power allows (the meter's: 60
  kW). After more than five minutes without a reading, three polls have to agree on the new value;
  after polling was off it is read again at once, as for the first time.
- A counter that reads less, or too much more, is a glitch, unless three polls in a row agree: then it
  has started anew. The entity then starts near 0 and goes on from there, because Home Assistant
  counts everything after a fall as new energy. What the counter stood at, if it did not start at
  nothing, is its attribute `counted_before`. The group's total goes on from where it was.
- The same holds when an inverter was replaced (*Repairs* asks), when it is read through a module
  instead of Modbus or the other way round, and when you correct the place or the scale of a counter in
  your own register map: it is another counter from then on.
- What nobody can know is not made up: what was counted between the last reading and a reset is lost.
- A nonsense value within what could have been counted can't be told from the truth. It is shown, and
  waits until the counter has caught up.

Home Assistant keeps the counters on its disk, a minute old at most: neither a restart nor an entity that
is disabled makes a total fall. After a crash an inverter that does not answer yet may lack in it what it
had counted in the minute before.

## Held against the primary

Once a minute the primary is asked for its own totals of the whole system. In a group whose inverters
all answer, AC, PV and battery power are compared with them. When one of them differs by more than 5 %
and more than 100 W in ten comparisons in a row, *Totals disagree with primary* reports a problem;
its attributes show both sides. It is unknown while there is nothing to compare. PV is compared without
third and fourth strings, which the primary does not tell of. A primary that is read through a module
tells no such totals.

## How evenly the inverters work

The differences between the highest and the lowest inverter: state of charge, load (AC power in % of the
rated power; off-grid the backup output's), inverter temperature and AC voltage. Attributes name both
inverters, and say as for a total how many tell: one that is missing may be higher or lower still.
*Batteries unbalanced* reports a problem when the states of charge have been more than 15 points apart
for an hour, and is otherwise unknown while an inverter is missing."""


def total_page() -> str:
    """Return the page in Markdown."""
    return "\n\n".join([_INTRODUCTION, _rules(), _table(), _SIGNS]) + "\n"


def _rules() -> str:
    return "\n".join(f"- *{rule}*: {meaning}" for rule, meaning in _RULES.items())


def _table() -> str:
    return table(
        ["Total", "Unit", "Rule", "From", "Why"],
        (
            (
                f"`{key}`",
                str(total.unit),
                total.rule,
                ", ".join(f"`{source}`" for source in total.sources),
                total.reason,
            )
            for key, total in TOTALS.items()
        ),
    )
