"""Names and addresses of labs."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

import pytest

from oz_installer.errors import AnswersError, PreflightError
from oz_installer.lab.options import DEFAULT_SUBNET, Lab, LabOptions, choose_subnet, lab_directory


def lab(name: str = "default", subnet: IPv4Network = DEFAULT_SUBNET) -> Lab:
    return Lab(name=name, directory=Path("/labs") / name, subnet=subnet)


def test_the_default_lab_has_the_addresses_that_the_documentation_promises() -> None:
    assert [str(node.address) for node in lab().nodes(4)] == [
        f"172.30.77.{last}" for last in (11, 12, 13, 14)
    ]
    assert str(lab().database_address) == "172.30.77.5"
    assert lab().network == "oz-lab-default"
    assert lab().node(2).container == "oz-lab-default-node2"
    assert lab().label == "com.ozforensics.oz-install.lab=default"


def test_two_labs_share_no_name() -> None:
    def everything(one: Lab) -> set[str]:
        node = one.node(1)
        return {one.network, one.share, one.database_container, node.container, node.volume, node.cgroup}

    assert not everything(lab()) & everything(lab("other"))


def test_the_default_lab_gets_its_usual_subnet_when_it_is_free() -> None:
    assert choose_subnet("default", [IPv4Network("172.17.0.0/16")]) == DEFAULT_SUBNET


@pytest.mark.parametrize("name", ["default", "other"])
def test_a_taken_subnet_is_never_chosen(name: str) -> None:
    taken = [DEFAULT_SUBNET, IPv4Network("172.30.78.0/23")]
    chosen = choose_subnet(name, taken)
    assert not any(chosen.overlaps(other) for other in taken)


def test_another_lab_leaves_the_usual_subnet_to_the_default_one() -> None:
    assert choose_subnet("other", []) != DEFAULT_SUBNET


def test_no_free_subnet_is_a_clear_failure() -> None:
    with pytest.raises(PreflightError, match="no free subnet"):
        choose_subnet("default", [IPv4Network("172.16.0.0/12")])


@pytest.mark.parametrize("name", ["", "Big", "a b", "-a", "a-", "../x", "x" * 23, "$(id)"])
def test_names_that_would_not_do_are_refused(name: str) -> None:
    with pytest.raises(AnswersError):
        LabOptions(name=name)


@pytest.mark.parametrize("nodes", [0, -1, 9])
def test_a_lab_has_one_to_eight_nodes(nodes: int) -> None:
    with pytest.raises(AnswersError):
        LabOptions(nodes=nodes)


def test_the_folder_follows_the_name_unless_it_is_given() -> None:
    assert lab_directory("x") == Path.home() / ".oz-install/labs/x"
    assert lab_directory("x", Path("/elsewhere")) == Path("/elsewhere")
