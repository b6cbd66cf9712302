"""``contact-service trial`` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from contact_service.cli.trial import app
from contact_service.evaluation.trial.methods import REFERENCES
from tests.evaluation.trial.published import PLACEBO, SIX_MP


def _run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def _json(*words: str | Path) -> dict[str, Any]:
    result = _run(*words, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert isinstance(found, dict)
    return found


def _methods(value: object) -> list[tuple[str, object]]:
    """Every method in a document, with its reference."""
    if isinstance(value, list):
        return [pair for part in value for pair in _methods(part)]
    if not isinstance(value, dict):
        return []
    here = [(value["method"], value.get("reference"))] if "method" in value else []
    return here + [pair for part in value.values() for pair in _methods(part)]


@pytest.fixture
def counts(tmp_path: Path) -> Path:
    file = tmp_path / "counts.csv"
    file.write_text("arm,n,events\nSMS,70,56\n対照,80,48\n架電,75,60\n", encoding="utf-8")
    return file


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """600 people in 300 households of two kinds, three arms, some outcomes missing."""
    draw = np.random.default_rng(7)
    file = tmp_path / "rows.csv"
    lines = ["群,納付,世帯,種類,年代,日数,完納,金額"]
    for person in range(600):
        home = person // 2
        arm = ("control", "sms", "call")[home % 3]
        paid = int(draw.random() < 0.3 + 0.2 * (arm == "sms"))
        days = int(draw.integers(1, 60)) if paid else 60
        said = "" if person % 50 == 0 else str(paid)
        yen = f'"{1000 * int(draw.integers(1, 90)):,}円"' if paid else "0"
        lines.append(f"{arm},{said},H{home},{'税保'[home % 2]},{person % 3},{days},{paid},{yen}")
    file.write_text("\n".join(lines), encoding="cp932")
    return file


def test_counts(counts: Path) -> None:
    found = _json("estimate", counts)
    assert found["control"] == "対照"
    assert [(row["arm"], row["control"]) for row in found["comparisons"]] == [
        ("SMS", "対照"), ("架電", "対照"),
    ]  # fmt: skip
    first = found["comparisons"][0]
    assert (round(first["risk_difference"]["low"], 4), first["risk_difference"]["method"]) == (
        0.0524, "Newcombe",
    )  # fmt: skip
    # Woolf by hand: ln(56·32 ÷ (14·48)) ± 1.96·√(1/56 + 1/14 + 1/48 + 1/32)
    assert first["odds_ratio"]["estimate"] == pytest.approx(8 / 3)
    assert first["odds_ratio"]["low"] == pytest.approx(1.2762, abs=1e-4)
    ps = sorted(row["p_value"] for row in found["comparisons"])
    # Holm: twice the smaller, and the larger no less than that
    assert sorted(row["p_adjusted"] for row in found["comparisons"]) == pytest.approx(
        [2 * ps[0], max(2 * ps[0], ps[1])]
    )
    assert all(REFERENCES[method] == reference for method, reference in _methods(found))
    assert "+20.0pt" in _run("estimate", counts).output


def test_the_control_may_be_named(counts: Path) -> None:
    assert _json("estimate", counts, "--control", "SMS")["control"] == "SMS"
    refused = _run("estimate", counts, "--control", "手紙")
    assert refused.exit_code == 2
    assert "対照, 架電" in refused.stderr


def test_nobody_paid(tmp_path: Path) -> None:
    file = tmp_path / "none.csv"
    file.write_text("arm,n,events,clusters\na,10,0,5\nb,20,0,10\n", encoding="utf-8")
    for words in ([], ["--icc", "0.2"]):
        found = _json("estimate", file, *words)
        row = found["comparisons"][0]
        assert (row["p_value"], row["risk_ratio"], row["odds_ratio"]) == (1, None, None)
        assert "no_interval" in [said["key"] for said in found["notes"]]


def test_rows_by_every_measure(rows: Path) -> None:
    words = ["--arm", "群", "--outcome", "納付", "--amount", "金額",
             "--time", "日数", "--event", "完納"]  # fmt: skip
    found = _json("estimate", rows, *words)
    assert [arm["missing"] for arm in found["arms"]] == [
        {"outcome": 4, "amount": 0, "time": 0}, {"outcome": 4, "amount": 0, "time": 0},
        {"outcome": 4, "amount": 0, "time": 0},
    ]  # fmt: skip
    row = found["comparisons"][0]
    assert row["arm"] == "sms"
    share = {arm["arm"]: arm["risk"]["estimate"] for arm in found["arms"]}
    assert row["risk_difference"]["estimate"] == pytest.approx(share["sms"] - share["control"])
    bounds = row["missing_bounds"]
    # 4 of 200 on either side may have gone either way
    paid = {arm["arm"]: arm["events"] for arm in found["arms"]}
    assert bounds["low"] == pytest.approx(paid["sms"] / 200 - (paid["control"] + 4) / 200)
    assert bounds["high"] == pytest.approx((paid["sms"] + 4) / 200 - paid["control"] / 200)
    mean = {arm["arm"]: arm["amount_mean"] for arm in found["arms"]}
    for measure in ("amount_difference", "amount_difference_bootstrap"):
        assert row[measure]["estimate"] == pytest.approx(mean["sms"] - mean["control"])
    assert row["amount_difference_bootstrap"]["low"] == pytest.approx(
        row["amount_difference"]["low"], rel=0.25
    )
    assert row["hazard"]["low"] > 1
    assert row["rmst_difference"]["high"] < 0
    assert row["p_value"] == row["tests"]["outcome"]["p_value"]
    assert set(row["tests"]) == {"outcome", "amount", "time"}
    assert found == _json("estimate", rows, *words)  # the bootstrap is seeded
    pairs = _methods(found)
    assert len(pairs) > 20
    assert all(REFERENCES[method] == reference for method, reference in pairs)
    assert "Cox (Efron)" in _run("estimate", rows, *words).output


def test_rows_in_households_and_strata(rows: Path) -> None:
    words = ["--arm", "群", "--outcome", "納付", "--amount", "金額", "--time", "日数",
             "--event", "完納", "--strata", "種類", "--strata", "年代"]  # fmt: skip
    pooled = _json("estimate", rows, *words)["comparisons"][0]
    assert pooled["risk_difference"]["method"].startswith("Mantel-Haenszel")
    assert pooled["p_value_method"] == "Cochran-Mantel-Haenszel"
    assert pooled["amount_difference"]["method"] == "OLS with strata, HC2"
    assert pooled["tests"]["time"]["method"] == "stratified log-rank"
    found = _json("estimate", rows, *words, "--cluster", "世帯")
    row = found["comparisons"][0]
    for measure in ("risk_difference", "risk_ratio", "odds_ratio", "amount_difference", "hazard"):
        assert "cluster-robust" in row[measure]["method"]
        assert row[measure]["low"] < row[measure]["estimate"] < row[measure]["high"]
    # balanced strata move the estimate little
    assert row["risk_difference"]["estimate"] == pytest.approx(
        pooled["risk_difference"]["estimate"], abs=0.02
    )
    assert row["rmst_difference"]["method"] == "restricted mean, cluster-robust"
    assert found["clusters"]["clusters"] == 300
    assert found["clusters"]["mean_size"] == pytest.approx(588 / 300)
    assert "ICC" in _run("estimate", rows, *words, "--cluster", "世帯").output
    assert all(REFERENCES[method] == reference for method, reference in _methods(found))


def test_freireich_as_rows(tmp_path: Path) -> None:
    file = tmp_path / "remission.csv"
    body = [f"6-MP,{t},{e}" for t, e in SIX_MP] + [f"placebo,{t},{e}" for t, e in PLACEBO]
    file.write_text("\n".join(["arm,weeks,relapse", *body]), encoding="utf-8-sig")
    found = _json("estimate", file, "--time", "weeks", "--event", "relapse")
    assert found["control"] == "placebo"
    row = found["comparisons"][0]
    assert round(row["hazard"]["estimate"], 4) == 0.2076  # exp(-1.5721)
    assert row["p_value"] == pytest.approx(4.17e-5, rel=1e-3)
    drug = found["arms"][0]
    assert (drug["median_time"]["estimate"], drug["median_time"]["high"]) == (23, None)
    assert [round(s, 4) for s in drug["kaplan_meier"]["survival"][:3]] == [0.8571, 0.8067, 0.7529]


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("", [], "空です"),
        ("arm,n,events\n", [], "群の行がありません"),
        ("arm,n,events\na,10,3\n", [], "群が1つしかありません"),
        ("arm,n,events\na,10,3\na,10,4\n", [], "3行目「arm」"),
        ("arm,n,events\na,10,3\nb,10,11\n", [], "3行目「events」: n より多く"),
        ("arm,n,events\na,10,3\nb,ten,1\n", [], '3, "n": give a whole number'),
        ("arm,n,events\na,10,3\nb,99999999999999999999,1\n", [], "1,000,000,000 or less"),
        ("arm,n,events\na,10,3\nb,0,0\n", [], "0人の群"),
        ("arm,n,events\na,10,3\nb,10\n", [], "line 3: 2 cells under 3 headings"),
        ("arm,n,events,clusters\na,10,3,11\nb,10,3,5\n", [], "2行目「clusters」"),
        ('arm,n,events\na,10,3\nb,"10,3\n', [], "line 3: not CSV"),
        ("arm,n,events\na,10,3\nb,10,4\n", ["--icc", "0.1"], "clusters の列が必要"),
        ("arm,n\na,10\nb,10\n", [], "arm, n, events"),
        ("arm,paid\na,1\nb,0\n", ["--arm", "arm"], "--outcome"),
        ("arm,paid\na,1\nb,0\n", ["--outcome", "due"], "「due」: この見出しの列がありません"),
        ("arm,paid,paid\na,1,1\nb,0,1\n", ["--outcome", "paid"], "同じ見出し"),
        ("arm,paid\na,1\n,0\n", ["--outcome", "paid"], '3, "arm": empty'),
        ("arm,paid\na,1\nb,secret\n", ["--outcome", "paid"], "3行目「paid」: 1（あり）か"),
        ("arm,yen\na,1\nb,secret\n", ["--amount", "yen"], "3行目「yen」: 数値で"),
        ("arm,t,e\na,1,1\nb,-1,0\n", ["--time", "t", "--event", "e"], "3行目「t」: 0以上"),
        ("arm,t,e\na,1,1\nb,1,0\n", ["--time", "t"], "--time と --event は一緒に"),
        ("arm,paid\na,1\nb,0\n", ["--outcome", "paid", "--icc", "0.1"], "集計表だけ"),
        ("arm,paid\n", ["--outcome", "paid"], "行がありません"),
    ],
)
def test_faults_name_place_and_remedy(
    tmp_path: Path, text: str, words: list[str], said: str
) -> None:
    file = tmp_path / "trial.csv"
    file.write_text(text, encoding="utf-8")
    result = _run("estimate", file, *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert " / " in result.stderr
    assert "secret" not in result.stderr


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    missing = _run("estimate", tmp_path / "no.csv")
    assert (missing.exit_code, "cannot open" in missing.stderr) == (2, True)
    odd = tmp_path / "odd.csv"
    odd.write_bytes(b"arm,n\x81\x20\n")
    assert "another encoding" in _run("estimate", odd).stderr


def test_an_arm_without_any_value(tmp_path: Path) -> None:
    file = tmp_path / "silent.csv"
    body = "\n".join(f"a,{i % 2},{i},h{i},1,1\nb,,,g{i},," for i in range(6))
    file.write_text(f"arm,paid,yen,home,t,e\n{body}\n", encoding="utf-8")
    words = ["--outcome", "paid", "--amount", "yen", "--time", "t", "--event", "e"]
    for more in ([], ["--cluster", "home"]):
        found = _json("estimate", file, *words, *more)
        row = found["comparisons"][0]
        assert row["p_value"] is row["risk_difference"] is row["amount_difference"] is None
        assert row["hazard"] is None
        assert found["arms"][1]["risk"] is None
        assert _run("estimate", file, *words, *more).exit_code == 0


def test_designs(tmp_path: Path) -> None:
    words = ["power", "proportions", "--control", "0.30", "--treated", "0.35"]
    found = _json(*words)
    assert round(found["n_exact"], 1) == 1376.3
    assert "1,377" in _run(*words).output
    found = _json("power", "means", "--sd", "12000", "--difference", "1500", "--n", "1000")
    assert round(found["power"], 3) == 0.798
    found = _json("power", "time", "--control-events", "0.3", "--n", "400", "--arms", "3")
    assert found["minimum_detectable_effect"] > 1
    refused = _run("power", "proportions", "--control", "30", "--treated", "35")
    assert (refused.exit_code, "--control" in refused.stderr) == (2, True)


def test_picture_stands_alone(tmp_path: Path) -> None:
    file = tmp_path / "power.svg"
    drawn = _run("power", "proportions", "--control", "0.3", "--treated", "0.35",
                 "--picture", file)  # fmt: skip
    assert drawn.exit_code == 0
    svg = file.read_text(encoding="utf-8")
    assert svg.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert "1,377 → 80.0%" in svg
    assert _run("power", "means", "--sd", "1", "--n", "50", "--picture", file).exit_code == 0
    nowhere = _run("power", "means", "--sd", "1", "--n", "50", "--picture", tmp_path / "a/b.svg")
    assert (nowhere.exit_code, "cannot write" in nowhere.stderr) == (2, True)
    hopeless = _run("power", "proportions", "--control", "0.95", "--n", "10", "--picture", file)
    assert (hopeless.exit_code, "--n" in hopeless.stderr) == (2, True)


def test_covariates_sharpen_the_difference(tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    owed = draw.normal(0, 1, 400)
    file = tmp_path / "rows.csv"
    lines = ["arm,paid,yen,owed"]
    for n in range(400):
        paid = int(draw.random() < 0.4 + 0.25 * owed[n] / 2 + 0.1 * (n % 2))
        yen = 5000 + 3000 * owed[n] + draw.normal(0, 200)
        lines.append(f"{('control', 'sms')[n % 2]},{paid},{yen:.0f},{owed[n]:.4f}")
    file.write_text("\n".join(lines))
    row = _json("estimate", file, "--arm", "arm", "--outcome", "paid", "--amount", "yen",
                "--covariate", "owed")["comparisons"][0]  # fmt: skip
    for plain, sharper in (("risk_difference", "risk_difference_adjusted"),
                           ("amount_difference", "amount_difference_adjusted")):  # fmt: skip
        assert row[sharper]["method"] == "Lin (interacted OLS), HC2"
        width = row[sharper]["high"] - row[sharper]["low"]
        assert width < row[plain]["high"] - row[plain]["low"]
    needed = row["number_needed_to_contact"]
    assert needed is None or needed["estimate"] == pytest.approx(
        1 / row["risk_difference"]["estimate"]
    )


def test_how_long_a_trial_takes_at_the_expected_flow() -> None:
    words = ("power", "proportions", "--control", "0.3", "--treated", "0.35", "--per-day", "40")
    found = _json(*words, "--horizon", "30")
    # 2 × 1,377 people at 40 a day, then the horizon
    assert (found["days_to_fill"], found["duration_days"]) == (69, 99)
    halved = _json(*words, "--cluster-size", "2", "--icc", "0")
    assert halved["days_to_fill"] == 35
    assert _run("power", "proportions", "--treated", "0.35").exit_code == 2
