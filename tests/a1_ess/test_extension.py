"""Whether the parallel extension block can be trusted, and what it says."""

import pytest

from custom_components.solax_parallel.a1_ess.codes import (
    BackupInterfaceType,
    Led,
    ModelType,
    OnOff,
    ParallelSetting,
    Role,
    SmartLoadMode,
)
from custom_components.solax_parallel.a1_ess.extension import (
    BackupInterface,
    Extension,
    ExtensionReader,
    SmartLoad,
)
from custom_components.solax_parallel.a1_ess.profile import Profile
from custom_components.solax_parallel.a1_ess.registers import RegisterSource
from custom_components.solax_parallel.a1_ess.samples import Samples
from custom_components.solax_parallel.a1_ess.source import UnusableError

from .conftest import MakeDevice
from .device import Device

SECONDARIES = (Role.SECONDARY_1, Role.SECONDARY_2, Role.SECONDARY_3)


async def decoded(device: Device, profile: Profile) -> Extension:
    """Return what the block of a device says, cross-checked with its own setting."""
    source = RegisterSource(device.unit, profile)
    settings = await source.read("parallel_setting")
    setting = profile.registers["parallel_setting"].code(settings["parallel_setting"])
    window = "primary_extension" if setting == "master" else "extension"
    values = await source.read(window)
    samples = Samples(7600)
    for _ in range(3):
        measured = samples.take(profile.read_in(window), values, 0)
    return ExtensionReader(profile, values, measured).decode(
        None if setting is None else ParallelSetting(setting)
    )


# --- what it says ---------------------------------------------------------------------


async def test_a_primary_without_a_backup_interface(
    make_device: MakeDevice, profile: Profile
) -> None:
    device = make_device(quantity=2, parallel_faults=["eps_sync_lost"])

    assert await decoded(device, profile) == Extension(
        model_type=ModelType.A1_HYB_G2,
        role=Role.PRIMARY,
        faults=frozenset({"eps_sync_lost"}),
        led=Led.GREEN,
        safety_code=31,
        unit_quantity=2,
        online=frozenset({Role.PRIMARY, Role.SECONDARY_1}),
        backup_interface=None,
    )


@pytest.mark.parametrize("role", SECONDARIES)
async def test_a_secondary_does_not_know_the_group(
    make_device: MakeDevice, profile: Profile, role: Role
) -> None:
    device = make_device(role, model_type="a1_smt_g2", operation_led="red_flashing")

    assert await decoded(device, profile) == Extension(
        model_type=ModelType.A1_SMT_G2,
        role=role,
        faults=frozenset(),
        led=Led.RED_FLASHING,
        safety_code=31,
        unit_quantity=None,
        online=None,
        backup_interface=None,
    )


async def test_a_standalone_inverter_has_no_group(
    make_device: MakeDevice, profile: Profile
) -> None:
    extension = await decoded(make_device(Role.STANDALONE), profile)

    assert extension.role is Role.STANDALONE
    assert extension.unit_quantity is None
    assert extension.online is None
    assert extension.backup_interface is None


@pytest.mark.parametrize("kind", BackupInterfaceType)
async def test_only_a_primary_tells_which_backup_interface_there_is(
    make_device: MakeDevice, profile: Profile, kind: BackupInterfaceType
) -> None:
    primary = await decoded(make_device(backup_interface=kind), profile)
    assert primary.backup_interface_type is kind
    for role in (Role.STANDALONE, *SECONDARIES):
        device = make_device(role, backup_interface=kind)
        assert (await decoded(device, profile)).backup_interface_type is None


async def test_a_bi_has_relays_but_no_channels(
    make_device: MakeDevice, profile: Profile
) -> None:
    device = make_device(
        backup_interface="bi",
        grid_relay="on",
        generator="off",
        microgrid="on",
        third_party_power=900,
        non_backup_power=800,
        smart_load_1_state="on",
    )

    assert (await decoded(device, profile)).backup_interface == BackupInterface(
        type=BackupInterfaceType.BI,
        grid_relay=OnOff.ON,
        generator=OnOff.OFF,
        microgrid=OnOff.ON,
        smart_loads={},
        third_party_power=None,
        non_backup_power=None,
    )


async def test_a_bi_pro_has_six_channels(
    make_device: MakeDevice, profile: Profile
) -> None:
    device = make_device(
        backup_interface="bi_pro",
        grid_relay="off",
        generator="on",
        third_party_power=900,
        non_backup_power=800,
        smart_load_1_state="on",
        smart_load_1_mode="automatic",
        smart_load_1_power=1200,
        smart_load_1_energy_total=70000.5,
        smart_load_6_mode="manual",
        smart_load_6_power=7,
    )

    interface = (await decoded(device, profile)).backup_interface

    idle = SmartLoad(
        state=OnOff.OFF, mode=SmartLoadMode.DISABLED, power=0, energy_total=0
    )
    assert interface == BackupInterface(
        type=BackupInterfaceType.BI_PRO,
        grid_relay=OnOff.OFF,
        generator=OnOff.ON,
        microgrid=OnOff.OFF,
        smart_loads={
            1: SmartLoad(
                state=OnOff.ON,
                mode=SmartLoadMode.AUTOMATIC,
                power=1200,
                energy_total=70000.5,
            ),
            **dict.fromkeys((2, 3, 4, 5), idle),
            6: SmartLoad(
                state=OnOff.OFF, mode=SmartLoadMode.MANUAL, power=7, energy_total=0
            ),
        },
        third_party_power=900,
        non_backup_power=800,
    )


async def test_a_measurement_without_a_value_is_not_known(
    make_device: MakeDevice, profile: Profile
) -> None:
    device = make_device(backup_interface="bi_pro")
    for key in ("third_party_power", "non_backup_power", "smart_load_2_power"):
        device.put(key, 0xFFFF)
    device.put("smart_load_2_energy_total", 0xFFFF, 0xFFFF)
    device.put("safety_code", 0xFFFF)

    extension = await decoded(device, profile)

    assert extension.safety_code is None
    assert extension.backup_interface is not None
    assert extension.backup_interface.third_party_power is None
    assert extension.backup_interface.non_backup_power is None
    assert extension.backup_interface.smart_loads[2].power is None
    assert extension.backup_interface.smart_loads[2].energy_total is None
    assert extension.backup_interface.smart_loads[3].power == 0


@pytest.mark.parametrize(
    ("bit", "fault"),
    enumerate(
        [
            "parallel_system_fault",
            "eps_sync_lost",
            "parallel_config_fault",
            "parallel_can_warning",
            "parallel_can_fault",
            "parallel_rs485_fault",
        ]
    ),
)
async def test_each_paralleling_fault_has_its_bit(
    make_device: MakeDevice, profile: Profile, bit: int, fault: str
) -> None:
    device = make_device(Role.SECONDARY_1)
    device.put("parallel_faults", 1 << bit)

    assert (await decoded(device, profile)).faults == {fault}


# --- whether it can be trusted --------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "setting"),
    [
        (role, setting)
        for role in Role
        for setting in (*ParallelSetting, None)
        if role is not Role.SECONDARY and role.setting is not setting
    ],
)
async def test_a_role_that_disagrees_with_the_setting_spoils_it(
    make_device: MakeDevice,
    profile: Profile,
    role: Role,
    setting: ParallelSetting | None,
) -> None:
    device = make_device(role)
    if setting is None:
        device.put("parallel_setting", 7)
    else:
        device.say(parallel_setting=setting)

    with pytest.raises(UnusableError, match=f"role {role} does not fit"):
        await decoded(device, profile)


EVERYWHERE = {
    "model_type": [0, 18, 22, 0xFFFF],
    "role": [5, 0xFFFF],
    "operation_led": [5, 0xFFFF],
    "parallel_faults": [1 << 6, 1 << 15, 0x8001, 0xFFFF],
}
ON_THE_PRIMARY = {
    "unit_quantity": [5, 0xFFFF, 0x7FFF],
    "online_mask": [1 << 4, 1 << 15, 0xFFFF],
    "backup_interface": [3, 0xFFFF],
    "grid_relay": [2, 0xFFFF],
    "generator": [2],
    "microgrid": [2],
}
ON_A_BI_PRO = {
    **{f"smart_load_{n}_state": [2] for n in range(1, 7)},
    **{f"smart_load_{n}_mode": [3] for n in range(1, 7)},
}


@pytest.mark.parametrize(
    ("key", "word"),
    [
        (key, word)
        for table in (EVERYWHERE, ON_THE_PRIMARY, ON_A_BI_PRO)
        for key, words in table.items()
        for word in words
    ],
)
async def test_a_word_out_of_its_table_spoils_the_block_of_a_primary(
    make_device: MakeDevice, profile: Profile, key: str, word: int
) -> None:
    device = make_device(backup_interface="bi_pro")
    device.put(key, word)

    with pytest.raises(UnusableError, match=key):
        await decoded(device, profile)


@pytest.mark.parametrize(
    ("key", "word"),
    [(key, word) for key, words in EVERYWHERE.items() for word in words],
)
async def test_a_word_out_of_its_table_spoils_the_block_of_a_secondary(
    make_device: MakeDevice, profile: Profile, key: str, word: int
) -> None:
    device = make_device(Role.SECONDARY_2)
    device.put(key, word)

    with pytest.raises(UnusableError, match=key):
        await decoded(device, profile)


@pytest.mark.parametrize("key", ON_THE_PRIMARY)
async def test_a_secondarys_block_is_not_judged_by_the_primarys_words(
    make_device: MakeDevice, profile: Profile, key: str
) -> None:
    device = make_device(Role.SECONDARY_2)
    device.put(key, 99)

    assert (await decoded(device, profile)).role is Role.SECONDARY_2


@pytest.mark.parametrize("key", ON_A_BI_PRO)
async def test_the_channels_of_a_plain_bi_are_not_looked_at(
    make_device: MakeDevice, profile: Profile, key: str
) -> None:
    device = make_device(backup_interface="bi")
    device.put(key, 99)

    interface = (await decoded(device, profile)).backup_interface
    assert interface is not None
    assert interface.smart_loads == {}


@pytest.mark.parametrize("key", ["grid_relay", "generator", "microgrid"])
async def test_the_relays_are_not_looked_at_without_a_backup_interface(
    make_device: MakeDevice, profile: Profile, key: str
) -> None:
    device = make_device(backup_interface="none")
    device.put(key, 99)

    assert (await decoded(device, profile)).backup_interface is None


@pytest.mark.parametrize("quantity", range(5))
async def test_a_quantity_that_can_be_set_is_told(
    make_device: MakeDevice, profile: Profile, quantity: int
) -> None:
    device = make_device(unit_quantity=quantity)

    assert (await decoded(device, profile)).unit_quantity == quantity


def test_a_block_that_lacks_a_word_is_unusable(profile: Profile) -> None:
    reader = ExtensionReader(profile, {"role": 1, "model_type": 19}, {})

    with pytest.raises(UnusableError, match="parallel_faults"):
        reader.decode(ParallelSetting.MASTER)
    with pytest.raises(UnusableError, match="role"):
        ExtensionReader(profile, {}, {}).decode(ParallelSetting.MASTER)


def test_a_measurement_read_elsewhere_is_not_known_here(profile: Profile) -> None:
    values = {
        "role": 1,
        "model_type": 19,
        "parallel_faults": 0,
        "operation_led": 1,
        "unit_quantity": 1,
        "online_mask": 1,
        "backup_interface": 2,
        "grid_relay": 1,
        "generator": 0,
        "microgrid": 0,
        **{f"smart_load_{n}_state": 0 for n in range(1, 7)},
        **{f"smart_load_{n}_mode": 0 for n in range(1, 7)},
    }

    extension = ExtensionReader(profile, values, {}).decode(ParallelSetting.MASTER)

    assert extension.backup_interface is not None
    assert extension.backup_interface.third_party_power is None
    assert extension.backup_interface.non_backup_power is None
    assert extension.backup_interface.smart_loads[1].power is None
    assert extension.backup_interface.smart_loads[1].energy_total is None


# --- names ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "setting", "leads"),
    [
        (Role.STANDALONE, ParallelSetting.FREE, True),
        (Role.PRIMARY, ParallelSetting.MASTER, True),
        (Role.SECONDARY, ParallelSetting.SLAVE, False),
        (Role.SECONDARY_1, ParallelSetting.SLAVE, False),
        (Role.SECONDARY_2, ParallelSetting.SLAVE, False),
        (Role.SECONDARY_3, ParallelSetting.SLAVE, False),
    ],
)
def test_a_role_needs_its_setting(
    role: Role, setting: ParallelSetting, leads: bool
) -> None:
    assert role.setting is setting
    assert role.leads is leads


def test_labels_are_the_vendors() -> None:
    assert [model.label for model in ModelType] == [
        "A1-HYB-G2",
        "A1-AC-G2",
        "A1-SMT-G2",
    ]
    assert BackupInterfaceType.BI_PRO.label == "BI PRO"
    assert BackupInterfaceType.BI.label == "BI"
