"""Device library for SolaX A1-ESS-G2 inverters run in parallel.

It turns registers into facts about a parallel group and imports no Home Assistant. To begin with:

- ``family``    what holds for every inverter, and no register tells
- ``profile``   the register map as data, graded per register
- ``link``      one guarded Modbus connection per endpoint
- ``source``    where an inverter's readings come from; ``registers`` is the Modbus one
- ``samples``   which readings are believed
- ``faults``    how grave each fault is, and which steps help
- ``extension`` whether the parallel extension block can be trusted
- ``inverter``  one unit
- ``group``     all units together
- ``scan``      which units answer on a link
"""
