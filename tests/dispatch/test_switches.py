"""A stop that stops nothing is refused."""

from __future__ import annotations

import pytest

from contact_service.dispatch.switches import UnknownScope, check_scope


@pytest.mark.parametrize("scope", ["all", "provider:simulated", "channel:sms"])
def test_what_exists_can_be_stopped(scope: str) -> None:
    check_scope(scope, ["simulated"])


@pytest.mark.parametrize(
    ("scope", "near"),
    [
        ("sms", "channel:sms"),
        ("channel:smss", "channel:sms"),
        ("provider:simulatd", "provider:simulated"),
    ],
)
def test_a_misspelt_scope_is_refused_with_the_nearest(scope: str, near: str) -> None:
    with pytest.raises(UnknownScope, match=rf"did you mean {near}\?"):
        check_scope(scope, ["simulated"])


@pytest.mark.parametrize("scope", ["channel:fax", "provider:other", ""])
def test_what_does_not_exist_is_refused_with_the_valid_scopes(scope: str) -> None:
    with pytest.raises(UnknownScope, match="valid: all, provider:simulated, channel:"):
        check_scope(scope, ["simulated"])
