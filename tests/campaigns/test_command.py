"""``contact-service campaign check | explain | list | fields | schema``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from campaigns.conditions import FIELDS
from contact_service.cli.campaign import app
from contact_service.settings import settings
from tests.campaigns.mutation import TRIAL, line_of, mutated

RUN = CliRunner()


def write(folder: Path, text: str) -> Path:
    """A definition file."""
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_check_of_a_good_definition_succeeds() -> None:
    result = RUN.invoke(app, ["check", "three-arm-trial"])
    assert (result.exit_code, "誤りはありません" in result.stdout) == (0, True)
    result = RUN.invoke(app, ["check", "three-arm-trial", "--json"])
    assert json.loads(result.stdout) == {"valid": True, "faults": [], "warnings": []}


def test_check_names_file_line_and_column_in_japanese_then_english(tmp_path: Path) -> None:
    text = mutated("per_7_days: 3", "per_7_dys: 3")
    text = mutated("message: please-call", "message: please-cal", text)
    path = write(tmp_path, text)
    result = RUN.invoke(app, ["check", str(path)])
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert lines[0] == (
        f"{path}:{line_of(text, 'per_7_dys')}:3: 未知の項目 `per_7_dys`; `per_7_days` ですか"
    )
    assert lines[1] == "    unknown field `per_7_dys`; did you mean `per_7_days`?"
    assert lines[2].startswith(f"{path}:{line_of(text, 'message: please-cal')}:14: ")
    assert lines[4].startswith(f"{path}:{line_of(text, '  please-call: |-')}:3: 警告: ")


def test_check_gives_faults_as_json(tmp_path: Path) -> None:
    path = write(tmp_path, mutated("per_7_days: 3", "per_7_dys: 3"))
    result = RUN.invoke(app, ["check", str(path), "--json"])
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert said["valid"] is False
    assert [(f["path"], f["suggestion"]) for f in said["faults"]] == [
        ("caps.per_7_dys", "per_7_days")
    ]


def test_warnings_are_shown_and_are_no_failure(tmp_path: Path) -> None:
    path = write(tmp_path, mutated("horizon_days: 28", "horizon_days: 14"))
    result = RUN.invoke(app, ["check", str(path)])
    assert (result.exit_code, "警告: " in result.stdout) == (0, True)


def test_a_file_that_is_not_there_is_exit_2() -> None:
    result = RUN.invoke(app, ["check", "three-arm-trail"])
    assert (result.exit_code, "`three-arm-trial` ですか" in result.stderr) == (2, True)


def test_explain_speaks_two_languages_and_json() -> None:
    assert "■ 対象" in RUN.invoke(app, ["explain", "three-arm-trial"]).stdout
    assert "■ Whom" in RUN.invoke(app, ["explain", "three-arm-trial", "--lang", "en"]).stdout
    result = RUN.invoke(app, ["explain", "three-arm-trial", "--json"])
    assert json.loads(result.stdout)[0]["heading"] == "計画"


def test_explain_of_a_faulty_definition_tells_the_faults(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["explain", str(write(tmp_path, TRIAL + "x: 1\n"))])
    assert (result.exit_code, "未知の項目 `x`" in result.stderr) == (1, True)


def test_list_and_schema() -> None:
    assert "three-arm-trial\t" in RUN.invoke(app, ["list"]).stdout
    assert "reminder-before-demand" in json.loads(RUN.invoke(app, ["list", "--json"]).stdout)
    assert "properties" in json.loads(RUN.invoke(app, ["schema"]).stdout)


def test_fields_lists_everything_that_can_be_asked() -> None:
    listed = json.loads(RUN.invoke(app, ["fields", "--json"]).stdout)
    assert [field["name"] for field in listed] == list(FIELDS)
    by_name = {field["name"]: field for field in listed}
    assert by_name["days_since_demand"]["unit"] == {"ja": "日", "en": "day"}
    assert by_name["promises"]["words"] == ["kept", "broken", "open"]
    assert not by_name["debtor_outstanding_yen"]["nested"]
    assert by_name["kinds"]["in_texts"]
    assert by_name["days_since_due"]["bands"] == [1, 21, 61, 181, 366]
    text = RUN.invoke(app, ["fields"], env={"COLUMNS": "200"}).stdout
    assert "世帯の人数 / People of the household" in text
    assert "人 / person" in text
    assert all(name in text for name in FIELDS)


def test_parts_and_costs_are_told_for_each_carrier_of_the_deployment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "providers.yaml"
    path.write_text(
        "providers:\n"
        "  - name: at-home\n"
        "    adapter: gateway\n"
        "    per_second: {sms: 5}\n"
        "    webhook: false\n"
        "    options: {declaration: polling-only, addresses: {api: 'https://sms.example'},"
        " secrets: {password: secret}, values: {user: u, shop: s}, price_yen: 9}\n"
        "  - name: abroad\n"
        "    adapter: twilio\n"
        "    per_second: {sms: 5}\n"
        "    options: {account_sid: AC00000000000000000000000000000000, auth_token: secret,"
        " from_number: '+815000000000'}\n",
        encoding="utf-8",
    )
    long = write(tmp_path, mutated("このメッセージは", "あ" * 500 + "このメッセージは"))
    monkeypatch.setenv("CONTACT_PROVIDERS_FILE", str(path))
    settings.cache_clear()
    try:
        explained = RUN.invoke(app, ["explain", "three-arm-trial"]).stdout
        assert "（119文字、at-home: 2通分、一人およそ18円）" in explained
        assert "abroad: 2通分、一人およそ24円" in explained
        result = RUN.invoke(app, ["check", str(long)])
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    # 619 characters: what a domestic carrier still takes
    assert (result.exit_code, result.stderr) == (0, "")
