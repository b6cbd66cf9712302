"""Estimates and designs as tables on a terminal. Japanese, with English beside it."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

_SHARES = {
    "risk_difference": "割合の差\nrisk difference",
    "risk_difference_adjusted": "同・調整済み\nadjusted (Lin)",
    "if_clusters_alike": "クラスター内同一\nif clusters alike",
    "missing_bounds": "欠測の限界\nmissing outcomes",
}
_RATIOS = {
    "risk_ratio": "割合の比\nrisk ratio",
    "odds_ratio": "オッズ比\nodds ratio",
    "hazard": "ハザード比\nhazard ratio",
}
_AMOUNTS = {
    "amount_difference": "金額の差\namount",
    "amount_difference_bootstrap": "同・再標本\nbootstrap",
    "amount_difference_winsorised": "同・上位1%丸め\nwinsorised",
    "amount_difference_adjusted": "同・調整済み\nadjusted (Lin)",
    "number_needed_to_contact": "1件増やす人数\nnumber needed",
    "rmst_difference": "境界内平均時間\nRMST",
}
_PLAN = {
    "n_control": "対照群の人数 control",
    "n_treated": "実施群（1群）の人数 each treated arm",
    "n_total": "合計 total",
    "clusters_control": "対照群のクラスター clusters, control",
    "clusters_treated": "実施群のクラスター clusters, treated",
    "events": "対照と実施1群の事象数 events",
    "per_day": "1日に見込む世帯 households a day",
    "days_to_fill": "人数がそろうまでの日数 days to fill",
    "duration_days": "結果が出るまでの日数 days to the result",
}


def show_estimates(console: Console, document: dict[str, Any]) -> None:
    """Arms, then each comparison measure by measure, then what to beware of."""
    console.print(_arms(document))
    table = Table(title="対照群との比較（95%区間） / against the control", title_justify="left")
    for heading in ("群\narm", "項目\nmeasure"):
        table.add_column(heading)
    for heading in ("推定値\nestimate", "下限\nlow", "上限\nhigh"):
        table.add_column(heading, justify="right")
    table.add_column("方法\nmethod")
    for row in document["comparisons"]:
        for names, form in ((_SHARES, _points), (_RATIOS, _ratio), (_AMOUNTS, _quantity)):
            for key, label in names.items():
                if row.get(key):
                    found = row[key]
                    values = [form(found.get(part)) for part in ("estimate", "low", "high")]
                    table.add_row(escape(row["arm"]), label, *values, found["method"])
        for measure, test in row["tests"].items():
            p = f"p {_p(test['p_value'])}"
            table.add_row(escape(row["arm"]), f"検定\ntest: {measure}", p, "", "", test["method"])
        table.add_row(
            escape(row["arm"]), "多重性調整\nadjusted", f"p {_p(row['p_adjusted'])}", "", "", "Holm"
        )
        table.add_section()
    console.print(table)
    clusters = document["clusters"]
    if clusters and clusters.get("icc") is not None:
        effect = f"デザイン効果 design effect {clusters['design_effect']:.3f}"
        console.print(f"ICC {clusters['icc']:.4f}, {effect}, {clusters['clusters']:,} clusters")
    for said in document["notes"]:
        console.print(escape(f"※ {said['ja']} / {said['en']}"), soft_wrap=True)


def _arms(document: dict[str, Any]) -> Table:
    table = Table(title="群（* 対照群） / arms (* control)", title_justify="left")
    table.add_column("群\narm")
    for heading in (
        "人数\nn",
        "事象\nevents",
        "割合\nrisk",
        "平均額\nmean",
        "期間中央値\nmedian time",
    ):
        table.add_column(heading, justify="right")
    for arm in document["arms"]:
        star = " *" if arm["arm"] == document["control"] else ""
        risk, median = arm.get("risk"), arm.get("median_time")
        table.add_row(
            escape(arm["arm"]) + star,
            f"{arm['n']:,}",
            f"{arm['events']:,}" if "events" in arm else "",
            f"{risk['estimate']:.1%}" if risk else "",
            _quantity(arm.get("amount_mean")) if "amount_mean" in arm else "",
            _quantity(median["estimate"]) if median else "",
        )
    return table


def show_plan(console: Console, found: dict[str, Any]) -> None:
    """The sizes, the power and the smallest effect that can be found."""
    table = Table(title=f"設計 / design: {found['method']}", title_justify="left")
    table.add_column("項目")
    table.add_column("値", justify="right")
    for key, label in _PLAN.items():
        if key in found:
            table.add_row(label, f"{found[key]:,.0f}")
    if "power" in found:
        table.add_row("検出力 power", f"{found['power']:.1%}")
    smallest = found["minimum_detectable_effect"]
    table.add_row(
        f"検出できる最小の効果 minimum detectable\n{found['effect_scale']}",
        "—" if smallest is None else f"{smallest:,.4g}",
    )
    table.add_row("デザイン効果 design effect", f"{found['design_effect']:.3f}")
    table.add_row("有意水準（1比較） alpha", f"{found['alpha_per_comparison']:.4g}")
    console.print(table)


def show_replay(console: Console, found: dict[str, Any]) -> None:
    """Whether arms and protocol are as they were registered, line by line."""
    table = Table(title=f"割付の再現 / replay: {found['run']}", title_justify="left")
    table.add_column("項目")
    table.add_column("結果", overflow="fold")  # a digest is compared by its last character, too
    table.add_row("クラスター clusters", f"{found['clusters']:,}")
    table.add_row("群が違うもの in another arm", f"{found['different']:,}")
    table.add_row("二つの群にいるもの in two arms", f"{found['in_two_arms']:,}")
    table.add_row("割付の照合 allocation", _agrees(found["allocation_agrees"]))
    table.add_row("計画の照合 protocol", _agrees(found["protocol_agrees"]))
    table.add_row("登録日時 registered", found["registered_at"] or "—")
    table.add_row("計画のハッシュ protocol SHA-256", found["protocol_sha256"] or "—")
    table.add_row("割付のハッシュ allocation SHA-256", found["allocation_sha256"])
    console.print(table)
    for one in found["departures"]:
        console.print(escape(f"※ {one['ja']} / {one['en']}"), soft_wrap=True)
    for warning in found["warnings"]:
        console.print(escape(f"※ {warning}"), soft_wrap=True)


def _agrees(value: bool | None) -> str:
    return {True: "一致 the same", False: "不一致 DIFFERENT", None: "登録なし not registered"}[
        value
    ]


def _points(value: float | None) -> str:
    return "" if value is None else f"{value * 100:+.1f}pt"


def _ratio(value: float | None) -> str:
    return "∞" if value is None else f"{value:.3f}"


def _quantity(value: float | None) -> str:
    return "—" if value is None else f"{value:,.2f}"


def _p(value: float | None) -> str:
    if value is None:
        return "—"
    return "<0.001" if value < 0.001 else f"{value:.3f}"
