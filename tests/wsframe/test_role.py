"""The enumeration of roles."""

from wsframe import Role


def test_there_are_two() -> None:
    assert [role.name for role in Role] == ["CLIENT", "SERVER"]
    assert Role(0) is Role.CLIENT
    assert Role(1) is Role.SERVER
