"""Assertions of the shared suite explain themselves like those of any test module."""

import pytest

pytest.register_assert_rewrite(
    "tests.providers.bench",
    "tests.providers.contract_collecting",
    "tests.providers.contract_more",
    "tests.providers.contract_questions",
    "tests.providers.contract_reports",
    "tests.providers.contract_submission",
)
