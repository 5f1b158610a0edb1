"""The shipped register map against the protocol notes, and the owner's corrections to it."""

from dataclasses import asdict, replace
from pathlib import Path
from textwrap import dedent

import pytest

from custom_components.solax_parallel.a1_ess.codes import CODES
from custom_components.solax_parallel.a1_ess.control import COMMANDS
from custom_components.solax_parallel.a1_ess.faults import FAULTS
from custom_components.solax_parallel.a1_ess.grade import Grade
from custom_components.solax_parallel.a1_ess.mistake import Reason
from custom_components.solax_parallel.a1_ess.profile import (
    SHIPPED_PROFILE,
    Profile,
    ProfileError,
    load_profile,
)
from custom_components.solax_parallel.a1_ess.register import (
    Bounds,
    Command,
    Counter,
    Fitted,
    Register,
    Window,
)
from tests.texts import TEXTS, placeholders

# key, function that reads it, address, words, type, scale, unit, grade
IDENTITY = """
serial_number              03 0x0000 7 ascii 1    -   sister
factory_name               03 0x0007 7 ascii 1    -   sister
module_name                03 0x000E 7 ascii 1    -   sister
dsp_firmware_minor         03 0x007D 1 u16   1    -   sister
dsp_firmware_major         03 0x007F 1 u16   1    -   sister
arm_firmware_major         03 0x0080 1 u16   1    -   sister
arm_firmware_minor         03 0x0083 1 u16   1    -   sister
rated_power                03 0x00BA 1 u16   1    W   sister
parallel_setting           03 0x0130 1 u16   1    -   sister
battery_count              03 0x0200 1 u16   1    -   sister
"""

LIVE = """
ac_voltage                 04 0x0000 1 u16    0.1  V   sister
ac_current                 04 0x0001 1 s16    0.1  A   sister
ac_power                   04 0x0002 1 s16    1    W   sister
pv1_voltage                04 0x0003 1 u16    0.1  V   sister
pv2_voltage                04 0x0004 1 u16    0.1  V   sister
pv1_current                04 0x0005 1 u16    0.1  A   sister
pv2_current                04 0x0006 1 u16    0.1  A   sister
frequency                  04 0x0007 1 u16    0.01 Hz  sister
inverter_temperature       04 0x0008 1 s16    1    °C  sister
run_mode                   04 0x0009 1 u16    1    -   sister
pv1_power                  04 0x000A 1 u16    1    W   sister
pv2_power                  04 0x000B 1 u16    1    W   sister
battery_voltage            04 0x0014 1 s16    0.1  V   sister
battery_current            04 0x0015 1 s16    0.1  A   sister
battery_power              04 0x0016 1 s16    1    W   sister
bms_connected              04 0x0017 1 u16    1    -   sister
battery_temperature        04 0x0018 1 s16    1    °C  sister
grid_status                04 0x001A 1 u16    1    -   sister
battery_soc                04 0x001C 1 u16    1    %   sister
battery_discharged_total   04 0x001D 2 u32    0.1  kWh sister
battery_discharged_today   04 0x0020 1 u16    0.1  kWh sister
battery_charged_total      04 0x0021 2 u32    0.1  kWh sister
battery_charged_today      04 0x0023 1 u16    0.1  kWh sister
battery_capacity           04 0x0026 2 u32    1    Wh  sister
inverter_faults            04 0x0040 2 bits32 1    -   sister
manager_faults             04 0x0043 1 bits16 1    -   sister
battery_faults             04 0x0044 2 bits32 1    -   sister
meter_power                04 0x0046 2 s32    1    W   sister
grid_export_total          04 0x0048 2 u32    0.01 kWh sister
grid_import_total          04 0x004A 2 u32    0.01 kWh sister
output_energy_today        04 0x0050 1 u16    0.1  kWh sister
output_energy_total        04 0x0052 2 u32    0.1  kWh sister
l1_voltage                 04 0x006A 1 u16    0.1  V   assumed
l1_current                 04 0x006B 1 s16    0.1  A   assumed
l1_power                   04 0x006C 1 s16    1    W   assumed
l1_frequency               04 0x006D 1 u16    0.01 Hz  assumed
l2_voltage                 04 0x006E 1 u16    0.1  V   assumed
l2_current                 04 0x006F 1 s16    0.1  A   assumed
l2_power                   04 0x0070 1 s16    1    W   assumed
l2_frequency               04 0x0071 1 u16    0.01 Hz  assumed
backup_l1_voltage          04 0x0076 1 u16    0.1  V   assumed
backup_l1_current          04 0x0077 1 u16    0.1  A   assumed
backup_l1_power            04 0x0078 1 s16    1    W   assumed
backup_l1_apparent         04 0x0079 1 u16    1    VA  assumed
backup_l2_voltage          04 0x007A 1 u16    0.1  V   assumed
backup_l2_current          04 0x007B 1 u16    0.1  A   assumed
backup_l2_power            04 0x007C 1 s16    1    W   assumed
backup_l2_apparent         04 0x007D 1 u16    1    VA  assumed
runtime_on_grid            04 0x0088 2 s32    0.1  h   sister
runtime_off_grid           04 0x008A 2 s32    0.1  h   sister
backup_energy_total        04 0x008E 2 u32    0.1  kWh sister
backup_energy_today        04 0x0090 1 u16    0.1  kWh sister
pv_energy_total            04 0x0094 2 u32    0.1  kWh sister
pv_energy_today            04 0x0096 1 u16    0.1  kWh sister
grid_export_today          04 0x0098 2 u32    0.01 kWh sister
grid_import_today          04 0x009A 2 u32    0.01 kWh sister
pv3_voltage                04 0x0122 1 u16    0.1  V   sister
pv3_current                04 0x0123 1 u16    0.1  A   sister
pv3_power                  04 0x0124 1 u16    1    W   sister
"""

EXTENSION = """
model_type                 04 0x0300 1 u16    1    -   assumed
role                       04 0x0301 1 u16    1    -   assumed
unit_quantity              04 0x0302 1 u16    1    -   assumed
online_mask                04 0x0303 1 bits16 1    -   assumed
parallel_faults            04 0x0304 1 bits16 1    -   assumed
operation_led              04 0x0305 1 u16    1    -   assumed
safety_code                04 0x0306 1 u16    1    -   assumed
backup_interface           04 0x0307 1 u16    1    -   assumed
grid_relay                 04 0x0308 1 u16    1    -   assumed
generator                  04 0x0309 1 u16    1    -   assumed
microgrid                  04 0x030A 1 u16    1    -   assumed
smart_load_1_state         04 0x0310 1 u16    1    -   assumed
smart_load_1_mode          04 0x0311 1 u16    1    -   assumed
smart_load_1_power         04 0x0312 1 u16    1    W   assumed
smart_load_1_energy_total  04 0x0314 2 u32    0.1  kWh assumed
smart_load_2_state         04 0x0316 1 u16    1    -   assumed
smart_load_2_mode          04 0x0317 1 u16    1    -   assumed
smart_load_2_power         04 0x0318 1 u16    1    W   assumed
smart_load_2_energy_total  04 0x031A 2 u32    0.1  kWh assumed
smart_load_3_state         04 0x031C 1 u16    1    -   assumed
smart_load_3_mode          04 0x031D 1 u16    1    -   assumed
smart_load_3_power         04 0x031E 1 u16    1    W   assumed
smart_load_3_energy_total  04 0x0320 2 u32    0.1  kWh assumed
smart_load_4_state         04 0x0322 1 u16    1    -   assumed
smart_load_4_mode          04 0x0323 1 u16    1    -   assumed
smart_load_4_power         04 0x0324 1 u16    1    W   assumed
smart_load_4_energy_total  04 0x0326 2 u32    0.1  kWh assumed
smart_load_5_state         04 0x0328 1 u16    1    -   assumed
smart_load_5_mode          04 0x0329 1 u16    1    -   assumed
smart_load_5_power         04 0x032A 1 u16    1    W   assumed
smart_load_5_energy_total  04 0x032C 2 u32    0.1  kWh assumed
smart_load_6_state         04 0x032E 1 u16    1    -   assumed
smart_load_6_mode          04 0x032F 1 u16    1    -   assumed
smart_load_6_power         04 0x0330 1 u16    1    W   assumed
smart_load_6_energy_total  04 0x0332 2 u32    0.1  kWh assumed
third_party_power          04 0x0334 1 u16    1    W   assumed
non_backup_power           04 0x0335 1 u16    1    W   assumed
"""

SYSTEM = """
system_units               04 0x01DD 1 u16    1    -   sister
system_l1_power            04 0x01E0 2 s32    1    W   sister
system_l2_power            04 0x01E2 2 s32    1    W   sister
system_l1_current          04 0x01EC 2 s32    0.1  A   sister
system_l2_current          04 0x01EE 2 s32    0.1  A   sister
system_pv1_power           04 0x01F2 2 s32    1    W   sister
system_pv2_power           04 0x01F4 2 s32    1    W   sister
system_battery_power       04 0x01FA 2 s32    1    W   sister
system_battery_current     04 0x01FC 2 s32    0.1  A   sister
"""

# key, offset from 0x0204 + 26 * (n - 1), type, scale, unit
SECONDARY = """
l1_power         0 s16    1    W
l2_power         1 s16    1    W
l1_current       6 s16    0.1  A
l2_current       7 s16    0.1  A
pv1_power        9 u16    1    W
pv2_power       10 u16    1    W
pv1_voltage     11 u16    0.1  V
pv2_voltage     12 u16    0.1  V
pv1_current     13 u16    0.1  A
pv2_current     14 u16    0.1  A
battery_power   15 s16    1    W
battery_voltage 16 u16    0.1  V
battery_current 17 s16    0.1  A
battery_faults  20 bits16 1    -
battery_soc     21 u16    1    %
"""

ROWS = [
    *(
        row.split()
        for row in (IDENTITY + LIVE + EXTENSION + SYSTEM).splitlines()
        if row
    ),
    *(
        [
            f"secondary_{n}_{key}",
            "04",
            hex(0x0204 + 26 * (n - 1) + int(offset)),
            "1",
            *rest,
            "sister",
        ]
        for n in (1, 2, 3)
        for key, offset, *rest in map(str.split, SECONDARY.splitlines()[1:])
    ),
]

WINDOWS = {
    "identity": ("holding", 0x0000, 0x0014),
    "firmware": ("holding", 0x007D, 0x0083),
    "rating": ("holding", 0x00BA, 0x00BA),
    "parallel_setting": ("holding", 0x0130, 0x0130),
    "battery_packs": ("holding", 0x0200, 0x0200),
    "live": ("input", 0x0000, 0x0054),
    "legs": ("input", 0x0066, 0x009B),
    "third_string": ("input", 0x0122, 0x0124),
    "system": ("input", 0x01DD, 0x0251),
    "extension": ("input", 0x0300, 0x0306),
    "primary_extension": ("input", 0x0300, 0x0335),
}

ON_OFF = {0: "off", 1: "on"}
VALUES = {
    "parallel_setting": {0: "free", 1: "master", 2: "slave"},
    "run_mode": {
        0: "waiting",
        1: "checking",
        2: "normal",
        3: "fault",
        4: "permanent_fault",
        5: "update",
        6: "off_grid_waiting",
        7: "off_grid",
        8: "self_test",
        9: "idle",
        10: "standby",
        20: "normal_remote",
        26: "normal_generator",
    },
    "bms_connected": ON_OFF,
    "grid_status": {0: "on_grid", 1: "off_grid"},
    "model_type": {19: "a1_hyb_g2", 20: "a1_ac_g2", 21: "a1_smt_g2"},
    "role": {
        0: "standalone",
        1: "primary",
        2: "secondary_1",
        3: "secondary_2",
        4: "secondary_3",
    },
    "operation_led": {
        0: "off",
        1: "green",
        2: "green_flashing",
        3: "red",
        4: "red_flashing",
    },
    "backup_interface": {0: "none", 1: "bi", 2: "bi_pro"},
    "grid_relay": ON_OFF,
    "generator": ON_OFF,
    "microgrid": ON_OFF,
    **{f"smart_load_{n}_state": ON_OFF for n in range(1, 7)},
    **{
        f"smart_load_{n}_mode": {0: "disabled", 1: "manual", 2: "automatic"}
        for n in range(1, 7)
    },
}

# Names by bit, "-" where the protocol names none.
BITS = {
    "inverter_faults": """
        tz_protect grid_lost grid_voltage grid_frequency pv_voltage bus_voltage
        battery_voltage ac_10min_voltage dci_overcurrent - software_overcurrent
        rc_overcurrent isolation over_temperature battery_reversed missed_ct
        off_grid_overload overload pv_reversed battery_power_low low_temperature
        parallel_fault charger_relay bms_lost internal_communication fan earth_relay
        inverter_eeprom rcd off_grid_relay grid_relay other_device
    """,
    "manager_faults": """
        power_type port_overcurrent manager_eeprom - ntc_invalid
        battery_temperature_low battery_temperature_high - - meter bypass_relay fan_2
    """,
    # The words for the battery are the protocol's, with the battery in front.
    "battery_faults": """
        battery_external battery_internal battery_overvoltage battery_undervoltage
        battery_charge_overcurrent battery_discharge_overcurrent
        battery_temperature_high battery_temperature_low battery_cell_imbalance
        battery_hardware_protect battery_circuit battery_isolation
        battery_voltage_sensor battery_temperature_sensor battery_current_sensor
        battery_relay battery_type_mismatch battery_version_mismatch
        battery_manufacturer_mismatch battery_software_mismatch
        battery_master_slave_mismatch battery_charge_request_no_response
        battery_software_protect - battery_self_check battery_temperature_difference
        battery_break battery_flash battery_precharge battery_air_switch
    """,
    "online_mask": "primary secondary_1 secondary_2 secondary_3",
    "parallel_faults": """
        parallel_system_fault eps_sync_lost parallel_config_fault parallel_can_warning
        parallel_can_fault parallel_rs485_fault
    """,
}

LEG_VOLTAGE = Bounds(min=0, max=160)
AC_CURRENT = Bounds(min=-80, max=80)
TWICE_RATED = Bounds(rated=2)
FREQUENCY = Bounds(min=45, max=66, or_zero=True)
PV_VOLTAGE = Bounds(min=0, max=620)
PV_CURRENT = Bounds(min=0, max=40)
PV_POWER = Bounds(min=0, max=12000)
TEMPERATURE = Bounds(min=-40, max=120)
METER = Bounds(min=-60000, max=60000)
HOUSE = Bounds(min=0, max=60000)
BOUNDS = {
    "ac_voltage": Bounds(min=0, max=320),
    "ac_current": AC_CURRENT,
    "ac_power": TWICE_RATED,
    "frequency": FREQUENCY,
    "inverter_temperature": TEMPERATURE,
    "battery_voltage": Bounds(min=0, max=650),
    "battery_current": AC_CURRENT,
    "battery_power": Bounds(min=-20000, max=20000),
    "battery_temperature": TEMPERATURE,
    "battery_soc": Bounds(min=0, max=100, zero_only_after=5),
    "meter_power": METER,
    "grid_export_total": METER,
    "grid_import_total": METER,
    "grid_export_today": METER,
    "grid_import_today": METER,
    "unit_quantity": Bounds(min=0, max=4),
    **{f"pv{n}_voltage": PV_VOLTAGE for n in (1, 2, 3)},
    **{f"pv{n}_current": PV_CURRENT for n in (1, 2, 3)},
    **{f"pv{n}_power": PV_POWER for n in (1, 2, 3)},
    **{f"l{n}_voltage": LEG_VOLTAGE for n in (1, 2)},
    **{f"l{n}_current": AC_CURRENT for n in (1, 2)},
    **{f"l{n}_power": TWICE_RATED for n in (1, 2)},
    **{f"l{n}_frequency": FREQUENCY for n in (1, 2)},
    **{f"backup_l{n}_voltage": LEG_VOLTAGE for n in (1, 2)},
    **{f"backup_l{n}_current": AC_CURRENT for n in (1, 2)},
    **{f"backup_l{n}_power": TWICE_RATED for n in (1, 2)},
    **{f"backup_l{n}_apparent": TWICE_RATED for n in (1, 2)},
}
# What the protocol says nothing of: a limit to nonsense.
BOUNDS |= {
    "battery_capacity": Bounds(min=0, max=200000),
    "third_party_power": HOUSE,
    "non_backup_power": HOUSE,
    **{f"smart_load_{n}_power": HOUSE for n in range(1, 7)},
}
# A secondary that the primary tells of keeps within the same bounds.
BOUNDS |= {
    f"secondary_{n}_{key}": bounds
    for n in (1, 2, 3)
    for key, bounds in BOUNDS.items()
    if key in SECONDARY.split()
}


def named_bits(names: str) -> dict[int, str]:
    return {bit: name for bit, name in enumerate(names.split()) if name != "-"}


# --- the shipped map ------------------------------------------------------------------


def test_every_register_stands_where_the_protocol_says(profile: Profile) -> None:
    assert {
        register.key: (
            profile.windows[register.window].space,
            hex(register.address),
            register.words,
            register.type,
            register.scale,
            register.unit,
            register.grade,
        )
        for register in profile.registers.values()
    } == {
        key: (
            "holding" if function == "03" else "input",
            hex(int(address, 16)),
            int(words),
            kind,
            float(scale),
            None if unit == "-" else unit,
            grade,
        )
        for key, function, address, words, kind, scale, unit, grade in ROWS
    }


def test_every_register_names_its_source(profile: Profile) -> None:
    assert {
        register.source.partition(" ")[0] for register in profile.registers.values()
    } == {"SolaX", "X3-Hybrid-G4", "Placed"}


def test_the_windows_are_those_of_the_protocol(profile: Profile) -> None:
    assert {
        key: (window.space, window.first, window.last)
        for key, window in profile.windows.items()
    } == WINDOWS


def test_the_commands_are_those_of_the_protocol(profile: Profile) -> None:
    modes = {0: "disabled", 1: "manual", 2: "automatic"}
    expected = {}
    for n in range(1, 7):
        for kind, address, values, told in (
            ("switch", 0x0310 + n - 1, ON_OFF, "state"),
            ("mode", 0x0318 + n - 1, modes, "mode"),
        ):
            key = f"smart_load_{n}_{kind}"
            expected[key] = Command(
                key=key,
                address=address,
                values=values,
                confirmed_by=f"smart_load_{n}_{told}",
                grade=Grade.ASSUMED,
                source="Placed by this project until an owner proves the real address",
            )
    assert profile.commands == expected
    assert set(COMMANDS) == set(expected)


@pytest.mark.parametrize("grade", Grade)
def test_only_the_vendor_or_an_owner_proves_a_command(
    profile: Profile, grade: Grade
) -> None:
    command = replace(profile.commands["smart_load_1_switch"], grade=grade)

    assert command.proven is (grade in ("vendor", "field"))
    assert (command.code("off"), command.code("on")) == (0, 1)
    assert command.code("manual") is None


def test_no_register_reaches_beyond_its_window(profile: Profile) -> None:
    for register in profile.registers.values():
        _, first, last = WINDOWS[register.window]
        end = register.address + register.words - 1
        assert first <= register.address <= end <= last, register.key


def test_no_two_registers_share_a_word(profile: Profile) -> None:
    taken: dict[tuple[str, int], str] = {}
    for register in profile.registers.values():
        space = profile.windows[register.window].space
        for offset in range(register.words):
            place = (space, register.address + offset)
            assert taken.setdefault(place, register.key) == register.key


def test_only_what_no_running_inverter_answers_counts_as_bad_zeros(
    profile: Profile,
) -> None:
    assert {
        key for key, window in profile.windows.items() if window.all_zero == "bad"
    } == {
        "identity",
        "firmware",
        "rating",
        "live",
        "legs",
        "system",
        "extension",
        "primary_extension",
    }


def test_coded_values_are_those_of_the_protocol(profile: Profile) -> None:
    assert {
        key: register.values
        for key, register in profile.registers.items()
        if register.values is not None
    } == VALUES


@pytest.mark.parametrize("key", [each for each in CODES if each != "parallel_role"])
def test_every_coded_value_has_a_member(profile: Profile, key: str) -> None:
    # Members that no register can bring are what is told when little is known.
    unread = {"secondary"} if key == "role" else set()

    assert set(VALUES[key].values()) | unread == set(CODES[key])


def test_bits_are_those_of_the_protocol(profile: Profile) -> None:
    assert {
        key: register.bits
        for key, register in profile.registers.items()
        if register.bits is not None
    } == {key: named_bits(names) for key, names in BITS.items()}


def test_every_fault_has_a_bit(profile: Profile) -> None:
    assert {
        name
        for key, names in BITS.items()
        if key.endswith("_faults")
        for name in named_bits(names).values()
    } == set(FAULTS)


def test_bounds_are_those_of_the_protocol(profile: Profile) -> None:
    assert {
        key: register.bounds
        for key, register in profile.registers.items()
        if register.bounds is not None
    } == BOUNDS


def test_counters_are_marked(profile: Profile) -> None:
    assert {
        key: register.counter
        for key, register in profile.registers.items()
        if register.counter is not None
    } == {
        key: Counter.TODAY if key.endswith("_today") else Counter.TOTAL
        for key in profile.registers
        if key.endswith(("_today", "_total")) or key.startswith("runtime_")
    }


def test_what_needs_panels_is_marked(profile: Profile) -> None:
    assert {
        key: register.fitted
        for key, register in profile.registers.items()
        if register.fitted is not None
    } == {
        key: Fitted.THIRD_STRING if key.startswith("pv3") else Fitted.PV
        for key in profile.registers
        if key.startswith("pv")
    }


def test_a_read_delivers_every_register_in_its_reach(profile: Profile) -> None:
    secondary = {register.key for register in profile.read_in("extension")}
    primary = {register.key for register in profile.read_in("primary_extension")}

    assert secondary == {
        "model_type",
        "role",
        "unit_quantity",
        "online_mask",
        "parallel_faults",
        "operation_led",
        "safety_code",
    }
    assert primary == {row.split()[0] for row in EXTENSION.splitlines() if row}
    # The same addresses of the other register space are another table.
    assert {register.key for register in profile.read_in("battery_packs")} == {
        "battery_count"
    }


def test_the_shipped_map_is_read_once() -> None:
    assert load_profile() is load_profile()


# --- decoding -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "words", "value"),
    [
        ("ac_voltage", [2404], 240.4),
        ("ac_voltage", [0x7FFF], None),
        ("ac_voltage", [0x8000], None),
        ("ac_voltage", [0xFFFF], None),
        ("ac_current", [0xFFFF], -0.1),
        ("ac_current", [0x7FFF], None),
        ("ac_current", [0x8000], None),
        ("ac_power", [0xF060], -4000),
        ("ac_power", [0xFFFF], -1),
        ("frequency", [6001], 60.01),
        ("battery_charged_total", [0x0001, 0x0000], 0.1),
        ("battery_charged_total", [0x0000, 0x0001], 6553.6),
        ("battery_charged_total", [0xFEFF, 0xFFFF], 429496703.9),
        ("battery_charged_total", [0xFF00, 0xFFFF], None),
        ("battery_charged_total", [0xFFFF, 0xFFFF], None),
        ("meter_power", [0xFFFF, 0xFFFF], -1),
        ("meter_power", [0xFFFF, 0x7FFF], None),
        ("meter_power", [0x0000, 0x8000], None),
        ("meter_power", [0x1170, 0x0001], 70000),
        ("inverter_faults", [0x0000, 0x8000], 1 << 31),
        ("inverter_faults", [0xFFFF, 0xFFFF], None),
        ("manager_faults", [0x8000], 0x8000),
        ("manager_faults", [0xFFFF], None),
        ("rated_power", [7600], 7600),
        (
            "serial_number",
            [0x4831, 0x4131, 0x4232, 0x4333, 0x4434, 0x4535, 0x4636],
            "H1A1B2C3D4E5F6",
        ),
        ("factory_name", [0x536F, 0x6C61, 0x7800, 0, 0, 0, 0], "Solax"),
        ("factory_name", [0x536F, 0x6C61, 0x7820] + [0x2020] * 4, "Solax"),
        ("factory_name", [0x2020] * 7, ""),
        ("factory_name", [0] * 7, ""),
    ],
)
def test_words_become_a_value(
    profile: Profile, key: str, words: list[int], value: float | str | None
) -> None:
    assert profile.registers[key].field().decode(words) == value


def test_a_whole_number_stays_whole(profile: Profile) -> None:
    assert isinstance(profile.registers["ac_power"].field().decode([100]), int)


@pytest.mark.parametrize(
    ("value", "name"),
    [(2, "normal"), (20, "normal_remote"), (11, None), (None, None), ("2", None)],
)
def test_a_code_in_no_table_stands_for_nothing(
    profile: Profile, value: int | str | None, name: str | None
) -> None:
    assert profile.registers["run_mode"].code(value) == name


def test_a_register_without_codes_has_none(profile: Profile) -> None:
    assert profile.registers["safety_code"].code(1) is None


@pytest.mark.parametrize(
    ("value", "names", "rest"),
    [
        (0, set(), 0),
        (0b101, {"power_type", "manager_eeprom"}, 0),
        (0b1001, {"power_type"}, 0b1000),
        (0x8000, set(), 0x8000),
        (None, set(), 0),
    ],
)
def test_bits_without_a_name_are_kept_apart(
    profile: Profile, value: int | None, names: set[str], rest: int
) -> None:
    named, unnamed = profile.registers["manager_faults"].flags(value)

    assert set(named) == names
    assert unnamed == rest


# --- the owner's file -----------------------------------------------------------------


@pytest.fixture
def owners_file(tmp_path: Path) -> Path:
    return tmp_path / "a1_ess_g2.yaml"


def corrected(file: Path, text: str) -> Profile:
    """Return the map with the owner's file on top."""
    file.write_text(dedent(text), encoding="utf-8")
    return load_profile(file)


def test_a_correction_changes_nothing_else(profile: Profile, owners_file: Path) -> None:
    found = corrected(
        owners_file,
        """
        registers:
          ac_power: {address: 0x0011, grade: field, source: My own inverter}
          run_mode: {values: {1: normal}}
        """,
    )

    shipped = dict(profile.registers)
    shipped["ac_power"] = replace(
        shipped["ac_power"],
        address=0x0011,
        grade=Grade.FIELD,
        source="My own inverter",
    )
    shipped["run_mode"] = replace(shipped["run_mode"], values={1: "normal"})
    in_module = dict(profile.module)
    in_module["run_mode"] = replace(in_module["run_mode"], values={1: "normal"})
    assert found == replace(profile, registers=shipped, module=in_module)


def test_a_correction_leaves_the_shipped_map_alone(
    profile: Profile, owners_file: Path
) -> None:
    corrected(owners_file, "registers: {ac_power: {address: 0x0011}}")

    assert load_profile().registers["ac_power"].address == 0x0002
    assert load_profile() is profile


def test_a_register_can_be_added(profile: Profile, owners_file: Path) -> None:
    found = corrected(
        owners_file,
        """
        sources: {mine: Read from my own inverter}
        bounds: {hot: {max: 90}}
        registers:
          radiator_temperature:
            window: live
            address: 0x0019
            type: s16
            unit: °C
            bounds: hot
            grade: field
            source: mine
        """,
    )

    assert found.registers["radiator_temperature"] == Register(
        key="radiator_temperature",
        window="live",
        address=0x0019,
        type="s16",
        grade=Grade.FIELD,
        source="Read from my own inverter",
        unit="°C",
        bounds=Bounds(max=90),
    )
    assert len(found.registers) == len(profile.registers) + 1


def test_a_place_means_what_the_register_of_its_key_means(owners_file: Path) -> None:
    found = corrected(
        owners_file,
        """
        module:
          battery_soc: {index: 103}
          battery_current: {index: 90, type: s16, scale: 0.01, grade: field, source: mine}
        registers: {battery_soc: {address: 0x001B}}
        """,
    )

    assert found.module["battery_soc"].address == 103
    assert found.registers["battery_soc"].address == 0x001B
    assert asdict(found.module["battery_current"]) == asdict(
        replace(
            found.registers["battery_current"],
            address=90,
            scale=0.01,
            grade=Grade.FIELD,
            source="mine",
        )
    )
    assert found.module["battery_current"].place == "index 90"
    assert found.registers["battery_current"].place == "0x0015"


def test_a_window_can_be_moved_with_its_registers(owners_file: Path) -> None:
    found = corrected(
        owners_file,
        """
        windows: {rating: {first: 0x00C0, last: 0x00C4}}
        registers: {rated_power: {address: 0x00C2}}
        """,
    )

    assert found.windows["rating"] == Window(
        space="holding", first=0xC0, last=0xC4, all_zero="bad"
    )
    assert found.registers["rated_power"].address == 0xC2


def test_bounds_can_be_changed_for_all_or_for_one(owners_file: Path) -> None:
    found = corrected(
        owners_file,
        """
        bounds: {pv_voltage: {max: 700}}
        registers: {pv1_voltage: {bounds: {max: 800}}}
        """,
    )

    assert found.registers["pv1_voltage"].bounds == Bounds(max=800)
    assert found.registers["pv2_voltage"].bounds == Bounds(min=0, max=700)


def test_numbered_registers_are_written_out(owners_file: Path) -> None:
    found = corrected(
        owners_file,
        """
        registers:
          "cell_{n}_voltage":
            window: live
            address: 0x0028
            type: u32
            repeat: {count: 3, stride: 4}
            grade: field
            source: mine
        """,
    )

    assert {
        key: register.address
        for key, register in found.registers.items()
        if key.startswith("cell")
    } == {"cell_1_voltage": 0x28, "cell_2_voltage": 0x2C, "cell_3_voltage": 0x30}


def test_one_of_numbered_registers_can_be_corrected(owners_file: Path) -> None:
    found = corrected(owners_file, "registers: {smart_load_2_power: {address: 0x030E}}")

    assert found.registers["smart_load_2_power"].address == 0x030E
    assert found.registers["smart_load_3_power"].address == 0x031E


def test_a_command_can_be_corrected(profile: Profile, owners_file: Path) -> None:
    found = corrected(
        owners_file,
        """
        commands:
          smart_load_2_switch: {address: 0x0420, values: {2: "off", 3: "on"}}
          smart_load_3_mode: {grade: field, source: heard the relay}
        """,
    )

    switch, mode = (
        profile.commands[key] for key in ("smart_load_2_switch", "smart_load_3_mode")
    )
    assert found.commands == {
        **profile.commands,
        switch.key: replace(switch, address=0x0420, values={2: "off", 3: "on"}),
        mode.key: replace(mode, grade=Grade.FIELD, source="heard the relay"),
    }
    assert found.registers == profile.registers


def test_numbered_commands_can_be_corrected_together(
    profile: Profile, owners_file: Path
) -> None:
    found = corrected(
        owners_file,
        """
        commands:
          "smart_load_{n}_switch":
            address: 0x0500
            repeat: {count: 6, stride: 4}
            values: {0: "off", 1: "on"}
            confirmed_by: smart_load_{n}_state
            grade: field
            source: mine
        """,
    )

    assert [
        (command.address, command.confirmed_by, command.grade)
        for key, command in found.commands.items()
        if key.endswith("switch")
    ] == [(0x0500 + 4 * n, f"smart_load_{n + 1}_state", "field") for n in range(6)]
    assert found.commands["smart_load_1_mode"] == profile.commands["smart_load_1_mode"]


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "registers: {}\n", "---\n"])
def test_a_file_that_says_nothing_changes_nothing(
    profile: Profile, owners_file: Path, text: str
) -> None:
    assert corrected(owners_file, text) == profile


ERRORS = {
    "wrong_type_of_address": (
        "registers: {ac_power: {address: somewhere}}",
        "registers.ac_power.address",
        "must be a whole number",
    ),
    "wrong_type_of_scale": (
        "registers: {ac_power: {scale: much}}",
        "registers.ac_power.scale",
        "must be a number",
    ),
    "scale_of_zero": (
        "registers: {ac_power: {scale: 0}}",
        "registers.ac_power.scale",
        "must be more than 0",
    ),
    "wrong_type_of_unit": (
        "registers: {ac_power: {unit: 5}}",
        "registers.ac_power.unit",
        "must be text, so put it in quotes",
    ),
    "wrong_type_of_entry": (
        "registers: {ac_power: 0x0002}",
        "registers.ac_power",
        "has to hold keys with values",
    ),
    "wrong_type_of_section": (
        "registers: [ac_power]",
        "registers",
        "has to hold keys with values",
    ),
    "section_without_entries": (
        "registers:",
        "registers",
        "has to hold keys with values",
    ),
    "key_that_is_no_text": (
        "registers: {5: {address: 2}}",
        "registers.5",
        "must be text",
    ),
    "on_and_off_without_quotes": (
        "registers: {grid_relay: {values: {0: off, 1: on}}}",
        "registers.grid_relay.values.0",
        "must be text, so put it in quotes",
    ),
    "unknown_section": (
        "register: {}",
        "register",
        "register is not one of sources, bounds, windows",
    ),
    "unknown_word": (
        "registers: {ac_power: {adress: 2}}",
        "registers.ac_power.adress",
        "adress is not one of window, address, type",
    ),
    "unknown_word_of_a_window": (
        "windows: {live: {start: 0}}",
        "windows.live.start",
        "start is not one of space, first, last",
    ),
    "unknown_word_of_bounds": (
        "bounds: {ac_power: {maximum: 2}}",
        "bounds.ac_power.maximum",
        "maximum is not one of min, max",
    ),
    "number_for_yes_or_no": (
        "bounds: {frequency: {or_zero: 1}}",
        "bounds.frequency.or_zero",
        "must be true or false",
    ),
    "unknown_word_of_bounds_of_one": (
        "registers: {ac_power: {bounds: {maximum: 2}}}",
        "registers.ac_power.bounds.maximum",
        "maximum is not one of min, max",
    ),
    "unknown_type": (
        "registers: {ac_power: {type: float}}",
        "registers.ac_power.type",
        "float is not one of u16, s16",
    ),
    "unknown_word_of_a_place": (
        "module: {ac_power: {address: 6}}",
        "module.ac_power.address",
        "address is not one of index, type",
    ),
    "place_beyond_any_array": (
        "module: {ac_power: {index: 1000}}",
        "module.ac_power.index",
        "at least 0 and at most 999",
    ),
    "place_without_grade": (
        "module: {battery_current: {index: 90, type: s16, source: mine}}",
        "module.battery_current.grade",
        "this is missing",
    ),
    "place_with_unknown_bounds": (
        "module: {ac_power: {bounds: tiny}}",
        "module.ac_power.bounds",
        "there are no bounds tiny",
    ),
    "place_with_bounds_that_hold_nothing": (
        "module: {ac_power: {bounds: {min: 10, max: 5}}}",
        "module.ac_power.bounds.min",
        "min is above max",
    ),
    "text_in_an_array": (
        "module: {ac_power: {type: ascii}}",
        "module.ac_power.type",
        "ascii is not one of u16, s16",
    ),
    "place_with_codes_of_what_measures": (
        "module: {ac_power: {values: {1: normal}}}",
        "module.ac_power.values",
        "measures nothing",
    ),
    "place_with_an_unknown_role": (
        "module: {parallel_role: {values: {1: chief}}}",
        "module.parallel_role.values.1",
        "chief is not one of standalone, primary",
    ),
    "unknown_grade": (
        "registers: {ac_power: {grade: certain}}",
        "registers.ac_power.grade",
        "certain is not one of vendor, sister",
    ),
    "long_grade": (
        f"registers: {{ac_power: {{grade: {'x' * 200}}}}}",
        "registers.ac_power.grade",
        f"'{'x' * 27}...{'x' * 28}' is not one of vendor",
    ),
    "empty_grade": (
        "registers: {ac_power: {grade: ''}}",
        "registers.ac_power.grade",
        "'' is not one of vendor, sister",
    ),
    "unknown_counter": (
        "registers: {pv_energy_total: {counter: week}}",
        "registers.pv_energy_total.counter",
        "week is not one of total, today",
    ),
    "unknown_fitting": (
        "registers: {pv1_power: {fitted: wind}}",
        "registers.pv1_power.fitted",
        "wind is not one of pv, third_string",
    ),
    "unknown_space": (
        "windows: {live: {space: coil}}",
        "windows.live.space",
        "coil is not one of holding, input",
    ),
    "unknown_window": (
        "registers: {ac_power: {window: lives}}",
        "registers.ac_power.window",
        "there is no window lives",
    ),
    "new_window": (
        "windows: {mine: {space: input, first: 0x400, last: 0x410}}",
        "windows.mine",
        "are ever read",
    ),
    "unknown_bounds": (
        "registers: {ac_power: {bounds: wide}}",
        "registers.ac_power.bounds",
        "there are no bounds wide",
    ),
    "new_register_without_an_address": (
        "registers: {new: {window: live, type: u16, grade: field, source: me}}",
        "registers.new.address",
        "this is missing",
    ),
    "below_the_window": (
        "registers: {l1_voltage: {address: 0x0065}}",
        "registers.l1_voltage.address",
        "0x0065 lies outside window legs",
    ),
    "above_the_window": (
        "registers: {ac_power: {address: 0x0055}}",
        "registers.ac_power.address",
        "0x0055 lies outside window live",
    ),
    "half_outside_the_window": (
        "registers: {meter_power: {address: 0x0054}}",
        "registers.meter_power.address",
        "0x0054 lies outside window live",
    ),
    "window_taken_from_under_a_register": (
        "windows: {live: {last: 0x0050}}",
        "windows.live.last",
        "output_energy_total at 0x0052 lies outside window live",
    ),
    "window_too_long": (
        "windows: {live: {last: 0x007D}}",
        "windows.live",
        "1 to 125 registers",
    ),
    "window_turned_round": (
        "windows: {rating: {first: 0x00BB}}",
        "windows.rating",
        "1 to 125 registers",
    ),
    "address_beyond_modbus": (
        "registers: {ac_power: {address: 0x10000}}",
        "registers.ac_power.address",
        "at most 65535",
    ),
    "text_without_a_length": (
        """
        registers:
          new: {window: live, address: 1, type: ascii, grade: field, source: me}
        """,
        "registers.new.words",
        "text needs its length",
    ),
    "words_that_do_not_fit_the_type": (
        "registers: {ac_power: {words: 2}}",
        "registers.ac_power.words",
        "of s16 is 1",
    ),
    "type_that_does_not_fit_the_words": (
        "registers: {serial_number: {type: u16}}",
        "registers.serial_number.type",
        "of u16 is 1",
    ),
    "type_that_does_not_fit_the_bits": (
        "registers: {inverter_faults: {type: bits16}}",
        "registers.inverter_faults.type",
        "bits16 has the bits 0 to 15",
    ),
    "codes_of_what_measures": (
        "registers: {ac_power: {values: {1: normal}}}",
        "registers.ac_power.values",
        "measures nothing",
    ),
    "bit_beyond_the_word": (
        "registers: {manager_faults: {bits: {32: meter}}}",
        "registers.manager_faults.bits.32",
        "at most 31",
    ),
    "unknown_fault": (
        "registers: {manager_faults: {bits: {0: gremlins}}}",
        "registers.manager_faults.bits.0",
        "there is no fault gremlins",
    ),
    "unknown_code": (
        "registers: {run_mode: {values: {0: sleeping}}}",
        "registers.run_mode.values.0",
        "sleeping is not one of waiting, checking, normal",
    ),
    "unknown_code_of_a_numbered_register": (
        "registers: {smart_load_6_mode: {values: {0: sleeping}}}",
        "registers.smart_load_6_mode.values.0",
        "sleeping is not one of disabled",
    ),
    "unknown_role_in_the_online_mask": (
        "registers: {online_mask: {bits: {0: boss}}}",
        "registers.online_mask.bits.0",
        "boss is not one of",
    ),
    "repeat_of_an_incomplete_entry": (
        'registers: {"x_{n}": {repeat: {count: 2, stride: 2}, address: 1}}',
        "registers.x_{n}.",
        "this is missing",
    ),
    "repeat_that_is_no_repeat": (
        'registers: {"x_{n}": {repeat: 2}}',
        "registers.x_{n}.repeat",
        "has to hold keys with values",
    ),
    "repeat_under_one_name": (
        """
        registers:
          x: {window: live, address: 1, type: u16, grade: field, source: me,
            repeat: {count: 2, stride: 2}}
        """,
        "registers.x",
        "{n}",
    ),
    "repeat_with_other_braces": (
        """
        registers:
          "x_{n}_{m}": {window: live, address: 1, type: u16, grade: field, source: me,
            repeat: {count: 2, stride: 2}}
        """,
        "registers.x_{n}_{m}",
        "{n}",
    ),
    "numbered_beyond_the_window": (
        """
        registers:
          "x_{n}": {window: live, address: 0x53, type: u16, grade: field, source: me,
            repeat: {count: 3, stride: 1}}
        """,
        "registers.x_3.address",
        "0x0055 lies outside window live",
    ),
    "tab": (
        "registers:\n  battery_soc: {address: 0x001C}\t# moved",
        "",
        "found character '\\t'",
    ),
    "broken_yaml": ("registers: {ac_power: {address: 2", "", "expected ',' or '}'"),
    "yaml_with_an_impossible_date": ("since: 2026-13-45", "", "month must be in 1..12"),
    "not_a_dictionary": ("- ac_power\n- frequency", "", "holds no sections"),
    "yes_for_an_address": (
        "registers:\n  ac_power: {address: yes}",
        "registers.ac_power.address",
        "must be a whole number",
    ),
    "endless_scale": (
        "registers:\n  ac_power: {scale: .inf}",
        "registers.ac_power.scale",
        "must be a number",
    ),
    "endless_repeat": (
        """
        registers:
          "x_{n}": {window: live, address: 1, type: u16, grade: field, source: me,
            repeat: {count: 3000000, stride: 1}}
        """,
        "registers.x_{n}.repeat.count",
        "at most 125",
    ),
    "includes_itself": ("registers: !include a1_ess_g2.yaml", "", "nested without end"),
    "unit_of_a_code": (
        "registers:\n  run_mode: {unit: W}",
        "registers.run_mode.unit",
        "measures nothing",
    ),
    "bit_beyond_a_short_word": (
        "registers:\n  manager_faults: {bits: {20: fan}}",
        "registers.manager_faults.bits",
        "bits16 has the bits 0 to 15",
    ),
    "moved_where_nobody_looks": (
        "registers:\n  parallel_setting: {window: firmware, address: 0x7E}",
        "registers.parallel_setting.window",
        "move the window",
    ),
    **{
        f"new_register_in_{window}": (
            f"""
            registers:
              new: {{window: {window}, address: {address}, type: u16, unit: W, grade: field,
                source: me}}
            """,
            "registers.new.window",
            f"window {window} becomes no sensor",
        )
        for window, (_, address, _) in WINDOWS.items()
        if window not in ("live", "legs", "third_string")
    },
    "measurement_moved_where_nothing_is_measured": (
        "registers: {ac_power: {window: extension, address: 0x0303}}",
        "registers.ac_power.window",
        "choose one of live, legs, third_string",
    ),
    "new_command": (
        """
        commands:
          reboot: {address: 1, values: {1: "on"}, confirmed_by: grid_relay,
            grade: field, source: me}
        """,
        "commands.reboot",
        "are ever given",
    ),
    "command_for_a_channel_that_there_is_not": (
        """
        commands:
          smart_load_7_switch: {address: 1, values: {1: "on"}, confirmed_by: grid_relay,
            grade: field, source: me}
        """,
        "commands.smart_load_7_switch",
        "are ever given",
    ),
    "unknown_word_of_a_command": (
        "commands: {smart_load_1_mode: {window: live}}",
        "commands.smart_load_1_mode.window",
        "window is not one of address, values",
    ),
    "unknown_grade_of_a_command": (
        "commands: {smart_load_1_mode: {grade: sure}}",
        "commands.smart_load_1_mode.grade",
        "sure is not one of vendor, sister",
    ),
    "yes_for_the_address_of_a_command": (
        "commands: {smart_load_1_mode: {address: yes}}",
        "commands.smart_load_1_mode.address",
        "must be a whole number",
    ),
    "command_beyond_modbus": (
        "commands: {smart_load_1_mode: {address: 0x10000}}",
        "commands.smart_load_1_mode.address",
        "at most 65535",
    ),
    "code_beyond_the_word": (
        'commands: {smart_load_1_switch: {values: {0x10000: "on"}}}',
        "commands.smart_load_1_switch.values.65536",
        "at most 65535",
    ),
    "on_and_off_of_a_command_without_quotes": (
        "commands: {smart_load_1_switch: {values: {0: off, 1: on}}}",
        "commands.smart_load_1_switch.values.0",
        "must be text, so put it in quotes",
    ),
    "value_that_is_never_confirmed": (
        "commands: {smart_load_1_mode: {values: {3: timer}}}",
        "commands.smart_load_1_mode.values.3",
        "smart_load_1_mode never says timer",
    ),
    "value_with_two_codes": (
        'commands: {smart_load_1_switch: {values: {1: "on", 2: "on"}}}',
        "commands.smart_load_1_switch.values.1",
        "on has two codes",
    ),
    "confirmed_by_nothing": (
        "commands: {smart_load_1_switch: {confirmed_by: my_eyes}}",
        "commands.smart_load_1_switch.confirmed_by",
        "there is no register my_eyes",
    ),
    "confirmed_by_another_channel": (
        "commands: {smart_load_1_switch: {confirmed_by: smart_load_2_state}}",
        "commands.smart_load_1_switch.confirmed_by",
        "nothing but smart_load_1_state can confirm it",
    ),
    "two_commands_at_one_address": (
        "commands: {smart_load_1_switch: {address: 0x0311}}",
        "commands.smart_load_1_switch.address",
        "0x0311 is the address of both smart_load_1_switch and smart_load_2_switch",
    ),
    "repeat_of_an_incomplete_command": (
        'commands: {"smart_load_{n}_mode": {repeat: {count: 6, stride: 1}, address: 1}}',
        "commands.smart_load_{n}_mode.",
        "this is missing",
    ),
    "repeat_of_a_command_under_one_name": (
        """
        commands:
          smart_load_1_mode: {address: 1, values: {1: manual}, grade: field, source: me,
            confirmed_by: smart_load_1_mode, repeat: {count: 2, stride: 2}}
        """,
        "commands.smart_load_1_mode",
        "{n}",
    ),
    "only_a_word": ("registers", "", "holds no sections"),
    "bounds_that_hold_nothing": (
        "registers: {ac_power: {bounds: {min: 10, max: 5}}}",
        "registers.ac_power.bounds.min",
        "min is above max",
    ),
    "bounds_that_hold_nothing_any_more": (
        "bounds: {temperature: {max: -50}}",
        "bounds.temperature.max",
        "min is above max",
    ),
    "common_bounds_that_hold_nothing": (
        "bounds: {temperature: {min: 10000}}",
        "bounds.temperature.min",
        "min is above max",
    ),
    "section_that_stands_there_twice": (
        "registers: {ac_power: {address: 2}}\nregisters: {ac_power: {address: 3}}",
        "registers",
        "twice",
    ),
    "register_that_stands_there_twice": (
        "registers: {ac_power: {address: 2}, ac_power: {scale: 1}}",
        "registers.ac_power",
        "twice",
    ),
    "word_that_stands_there_twice": (
        "commands: {smart_load_1_switch: {address: 0x310, address: 0x410}}",
        "commands.smart_load_1_switch.address",
        "twice",
    ),
    "one_of_numbered_commands_stands_there_twice": (
        """
        commands:
          smart_load_2_switch: {grade: field, source: me}
          "smart_load_{n}_switch": {address: 0x400, values: {0: "off", 1: "on"}, grade: field,
            source: me, confirmed_by: "smart_load_{n}_state", repeat: {count: 6, stride: 1}}
        """,
        "commands.smart_load_{n}_switch",
        "smart_load_2_switch stands there twice",
    ),
}


WITHOUT_A_LINE = {"yaml_with_an_impossible_date", "includes_itself"}
"""What YAML itself gives no place for."""


def in_english(error: ProfileError) -> str:
    """Return the reason as an owner reads it; its words need all that is given, and no more."""
    words = TEXTS["selector"]["register_map_mistake"]["options"][error.reason]
    assert placeholders(words) == error.details.keys()
    return str(words.format(**error.details))


@pytest.mark.parametrize("name", ERRORS)
def test_a_mistake_is_named_with_file_line_place_and_reason(
    owners_file: Path, name: str
) -> None:
    text, place, reason = ERRORS[name]
    with pytest.raises(ProfileError) as caught:
        corrected(owners_file, text)

    error = caught.value
    assert error.file == owners_file
    assert error.place.startswith(place)
    assert bool(error.place) is bool(place)
    assert reason in in_english(error)
    assert (error.line is None) is (name in WITHOUT_A_LINE)
    line = "" if error.line is None else f", line {error.line}"
    key = f", {error.place}" if place else ""
    assert str(error).startswith(f"a1_ess_g2.yaml{line}{key}: {error.reason}")
    for word, value in error.details.items():
        assert f"{word}={value!r}" in str(error)
    assert "\n" not in str(error)


def test_every_reason_has_its_mistake(owners_file: Path) -> None:
    found = set()
    for text, _, _ in ERRORS.values():
        with pytest.raises(ProfileError) as caught:
            corrected(owners_file, text)
        found.add(caught.value.reason)
    # These are about files, and have tests of their own.
    assert found | {Reason.SPECIAL_FILE, Reason.NOT_UTF_8} == set(Reason)


def test_what_an_anchor_repeats_does_not_stand_there_twice(
    profile: Profile, owners_file: Path
) -> None:
    text = """
    registers:
      ac_power: &proof {grade: field, source: me}
      battery_soc: *proof
      battery_temperature: {<<: *proof, scale: 2}
    """
    changed = corrected(owners_file, text)
    assert {
        key
        for key, register in changed.registers.items()
        if register != profile.registers[key]
    } == {"ac_power", "battery_soc", "battery_temperature"}


LINES = {
    "key": ("ac_power:", "    adress: 2"),
    "value": ("ac_power:", "    grade: certain"),
    "code": ("run_mode:", "    values:", "      2: normal", "      3: sleeping"),
    "number_among_codes": ("run_mode:", "    values:", "      2: 5"),
    "syntax": ("ac_power:", "    address: 2", "    grade: [field"),
    "numbered": (
        '"x_{n}":',
        "    window: live",
        "    type: u16",
        "    grade: field",
        "    source: me",
        "    repeat: {count: 3, stride: 1}",
        "    address: 0x53",
    ),
}
"""Registers whose last line is wrong."""


@pytest.mark.parametrize("lines", LINES.values(), ids=LINES)
def test_the_line_of_a_mistake(owners_file: Path, lines: tuple[str, ...]) -> None:
    before = "# mine\n\nregisters:\n  frequency: {grade: field}\n  "
    with pytest.raises(ProfileError) as caught:
        corrected(owners_file, before + "\n".join(lines) + "\n")

    # YAML says of an unfinished list only where the file ends.
    unfinished = lines[-1].count("[") - lines[-1].count("]")
    # A number has no line of its own.
    back = lines[-1].endswith(" 5")
    assert caught.value.line == 4 + len(lines) + unfinished - back


def test_a_register_without_something_is_named_at_its_own_line(
    owners_file: Path,
) -> None:
    with pytest.raises(ProfileError, match=r"line 3, registers\.new\.address: missing"):
        corrected(
            owners_file,
            """\
            registers:
              frequency: {grade: field}
              new:
                window: live
                type: u16
                grade: field
                source: me
            """,
        )


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("    index: 5000", "index"),
        ("    adress: 6", "adress"),
        ("    grade: certain", "grade"),
        ("    values: {2: sleeping}", "values"),
        ("    unit: W", "unit"),
        ("    bounds: tiny", "bounds"),
    ],
)
def test_the_line_of_a_mistake_about_a_place_in_an_array(
    owners_file: Path, line: str, place: str
) -> None:
    text = f"registers:\n  frequency: {{grade: field}}\nmodule:\n  run_mode:\n{line}\n"
    with pytest.raises(ProfileError) as caught:
        corrected(owners_file, text)
    assert caught.value.place.startswith(f"module.run_mode.{place}")
    # A key has a line of its own, whatever it stands for.
    assert caught.value.line == 5


def test_whoever_moved_is_to_blame(owners_file: Path) -> None:
    text = """\
    windows:
      live: {{last: 0x0051}}
    registers:
      frequency: {{grade: field}}
    {own}
    """
    with pytest.raises(ProfileError, match=r"line 2, windows\.live\.last: "):
        corrected(owners_file, text.format(own="  ac_power: {address: 0x0040}"))
    with pytest.raises(ProfileError, match=r"line 5, registers\.output_energy_total"):
        corrected(
            owners_file, text.format(own="  output_energy_total: {address: 0x0054}")
        )


def test_the_line_of_a_mistake_among_numbered_commands(owners_file: Path) -> None:
    with pytest.raises(
        ProfileError, match=r"line 7, commands\.smart_load_1_mode\.confirmed_by: "
    ):
        corrected(
            owners_file,
            """\
            commands:
              "smart_load_{n}_mode":
                address: 0x0500
                repeat: {count: 6, stride: 1}
                values: {0: disabled}
                grade: field
                confirmed_by: "relay_{n}"
                source: mine
            """,
        )


def test_a_mistake_in_an_included_file(owners_file: Path) -> None:
    included = owners_file.with_name("mine.yaml")
    included.write_text("\n\nac_power: {adress: 2}\n", encoding="utf-8")
    # The line is one of the file that is named.
    with pytest.raises(
        ProfileError, match=r"g2\.yaml, line 2, registers\.ac_power\.ad"
    ):
        corrected(owners_file, "\nregisters: !include mine.yaml\n")
    included.write_text("ac_power: [", encoding="utf-8")
    with pytest.raises(
        ProfileError, match=r"^a1_ess_g2\.yaml: unreadable said=.*mine\.yaml"
    ) as caught:
        corrected(owners_file, "\nregisters: !include mine.yaml\n")
    assert caught.value.line is None


def test_a_file_that_is_not_there_is_an_error(owners_file: Path) -> None:
    with pytest.raises(ProfileError, match="No such file") as caught:
        load_profile(owners_file)

    assert caught.value.file == owners_file
    assert caught.value.place == ""


def test_what_never_ends_is_an_error() -> None:
    with pytest.raises(ProfileError) as caught:
        load_profile(Path("/dev/zero"))

    assert "this is a pipe or a device" in in_english(caught.value)


def test_a_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProfileError) as caught:
        load_profile(tmp_path)

    assert "directory" in in_english(caught.value)
    assert caught.value.file == tmp_path


def test_a_file_in_another_encoding_is_an_error(owners_file: Path) -> None:
    owners_file.write_bytes("registers: {ac_power: {unit: Ω}}".encode("utf-16"))

    with pytest.raises(ProfileError, match=Reason.NOT_UTF_8) as caught:
        load_profile(owners_file)
    assert "this is not UTF-8" in in_english(caught.value)
    assert caught.value.line == 1
    # Far behind what is read at once.
    owners_file.write_bytes(b"# a line\n" * 5000 + "# Gerät\n".encode("latin-1"))
    with pytest.raises(ProfileError, match=Reason.NOT_UTF_8) as caught:
        load_profile(owners_file)
    assert caught.value.line == 5001


def test_the_shipped_file_is_where_it_says() -> None:
    assert SHIPPED_PROFILE.name == "a1_ess_g2.yaml"
    assert SHIPPED_PROFILE.is_file()
