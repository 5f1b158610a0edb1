"""What the A1-ESS-G2 family is made in: what holds for every inverter, and no register tells."""

RATED_POWERS = (3800, 5000, 6000, 7600)
"""What an inverter can be rated for, in W (grade vendor)."""

LARGEST_RATED_POWER = max(RATED_POWERS)

THIRD_STRING_POWER = LARGEST_RATED_POWER
"""The rated power in W of the only inverters with a third PV string (grade sister)."""

MAX_UNITS = 4
"""The most inverters that a group can have (grade vendor)."""

SMART_LOADS = range(1, 7)
"""The numbers of a BI PRO's smart load channels (grade vendor)."""
