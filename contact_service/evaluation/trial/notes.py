"""What a reader must know before believing a figure, in Japanese and English."""

from __future__ import annotations

from collections.abc import Mapping

_TEXTS: Mapping[str, tuple[str, str]] = {
    "icc_unknown": (
        "クラスター（世帯など）の数だけではクラスター内の似かたが分からないため、一人ひとりを独立と"
        "みなしました。区間は狭すぎるおそれがあります。--icc で級内相関を与えるか、人ごとの行と "
        "--cluster で計算してください。"
        "if_clusters_alike はクラスター内が全員同じだった場合の区間です",
        "The number of clusters does not say how alike their members are, so people are taken for "
        "independent; intervals may be too narrow. Give --icc, or rows with --cluster. "
        "if_clusters_alike is the interval if all members of a cluster behaved alike",
    ),
    "icc_stated": (
        "級内相関 {icc:g} は与えられた値で、このデータから推定したものではありません",
        "The ICC of {icc:g} was stated; it is not estimated from these data",
    ),
    "missing": (
        "値のない人はその項目の計算から除きました（人数は arms の missing）。"
        "欠測が結果に与えうる最大の影響は missing_bounds にあります",
        "People without a value are left out of that measure (how many: missing, by arm). "
        "How far missing outcomes could carry the difference: missing_bounds",
    ),
    "no_interval": (
        "データから計算できない推定値は null です（該当者が0人、ばらつきがない、など）",
        "An estimate that the data do not allow is null (no events, no variation)",
    ),
    "few_clusters": (
        "クラスターが{few}未満の比較では、クラスターを考慮した標準誤差は小さすぎる傾向があります",
        "With fewer than {few} clusters in a comparison, cluster-robust errors tend to be small",
    ),
    "clusters_across": (
        "二つ以上の群にまたがるクラスターがあります。割付の単位を確かめてください",
        "Some clusters have members in more than one arm; check the unit of allocation",
    ),
}


def note(key: str, **values: float) -> dict[str, str]:
    """A note by its key, with its values filled in."""
    ja, en = _TEXTS[key]
    return {"key": key, "ja": ja.format(**values), "en": en.format(**values)}
