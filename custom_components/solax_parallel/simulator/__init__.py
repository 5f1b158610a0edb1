"""A simulated A1-ESS-G2 parallel group behind real servers on this machine.

It imports no Home Assistant and can be run by itself: ``python -m ...simulator --help``.

- ``physics``   the sun, the loads and how the inverters share a load: pure functions
- ``plant``     powers held in time: states of charge and energies
- ``group``     what can be done to the group: faults, silence, the main breaker, the clock
- ``readings``  what every register would say, by its key
- ``registers`` those readings as words, through the register map
- ``loopback``  what every server here keeps to: this machine only
- ``server``    the Modbus TCP server
- ``module``    the monitoring module of an inverter, with its local HTTP interface
- ``replay``    a group that says again what diagnostics recorded
- ``console``   what can be typed while it runs by itself
"""
