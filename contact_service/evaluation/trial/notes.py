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
    "complier": (
        "届いた人への効果（操作変数法）。届いたことだけを通じて効くと仮定し、群に入れば届く人だけに"
        "あてはまります。催告計画そのものの効果ではありません",
        "Effect on those reached (instrumental variable): assumes that the arm works only through "
        "being reached, and holds for those whom the arm reaches; not the campaign's effect",
    ),
    "before_after": (
        "前後の比較は無作為比較ではなく、同じ日に変わった他のことの影響も含みます",
        "Before and after is no randomised comparison: whatever else changed that day is in it",
    ),
    "few_days": (
        "変更の前後それぞれに{few}日以上の記録がないため、前後の変化は推定できません",
        "Fewer than {few} days on either side of the change: no change can be estimated",
    ),
    "no_placebos": (
        "変更前の記録が短く、何も変えていない日での試し計算（プラセボ）が足りません",
        "The time before the change is too short for enough placebo dates",
    ),
    "placebo_found": (
        "何も変えていない日でも{n}か所で「変化」が見つかりました。結果は割り引いて読んでください",
        "At {n} dates without any change the method finds one, too: take the result with caution",
    ),
    "lacking": (
        "設計にある「{names}」はデータになく、推定していません",
        "The design asks for {names}, which the data do not have: not estimated",
    ),
    "sample_ratio": (
        "群の大きさが配分比と合いません（p = {p:.2g}）。割付か集計に誤りがあり、以下の比較は"
        "信用できません",
        "The arms do not have the sizes that their weights say (p = {p:.2g}): the allocation or "
        "the counting is broken, and no comparison below should be believed",
    ),
    "imbalance": (
        "割付前の特徴に標準化差 {largest:.2f} の偏りがあります（{name}）。調整済みの推定値も"
        "見てください",
        "Before allocation the arms differ by a standardised {largest:.2f} ({name}): look at the "
        "adjusted estimates, too",
    ),
    "weak_instrument": (
        "「{arm}」では対照群より多く届いた人が少なすぎ、届いた人への効果は定まりません",
        "Too few more were reached in {arm} than in the control: the effect of being reached "
        "cannot be told",
    ),
    "no_additional_yen": (
        "「{arm}」が対照群より多く集めたとは言えないため、追加1円あたりの費用に上限はありません",
        "It cannot be said that {arm} collected more than the control, so the cost of an "
        "additional yen has no upper bound",
    ),
    "no_control": (
        "対照群「{control}」に誰もいないので、効果は何も言えません",
        "Nobody is in the control {control}: nothing can be said of any effect",
    ),
    "clusters_across": (
        "二つ以上の群にまたがるクラスターがあります。割付の単位を確かめてください",
        "Some clusters have members in more than one arm; check the unit of allocation",
    ),
}


def note(key: str, **values: float | str) -> dict[str, str]:
    """A note by its key, with its values filled in."""
    ja, en = _TEXTS[key]
    return {"key": key, "ja": ja.format(**values), "en": en.format(**values)}
