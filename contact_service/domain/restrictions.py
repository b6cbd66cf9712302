"""Dated reasons not to contact, and how far each of them reaches."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RestrictionKind(StrEnum):
    """Why somebody must be left alone."""

    EXECUTION_SUSPENDED = "execution_suspended"  # 執行停止
    WRITTEN_OFF = "written_off"  # 不納欠損
    COLLECTION_DEFERRED = "collection_deferred"  # 徴収猶予
    SEIZURE_DEFERRED = "seizure_deferred"  # 換価猶予
    INSTALMENT_PLEDGE = "instalment_pledge"  # 分納誓約
    LAWYER_ENGAGED = "lawyer_engaged"  # 弁護士委任
    BANKRUPTCY = "bankruptcy"  # 破産
    DECEASED = "deceased"  # 死亡
    PROTECTION_MEASURE = "protection_measure"  # 支援措置
    NO_CALLS = "no_calls"  # 架電停止
    PUBLIC_ASSISTANCE = "public_assistance"  # 生活保護受給
    HARDSHIP = "hardship"  # 生活困窮
    REFERRED = "referred"  # 支援連携
    OPTED_OUT = "opted_out"  # 連絡停止の申出
    WRONG_PERSON = "wrong_person"  # 本人でない番号
    INVALID_NUMBER = "invalid_number"  # 使われていない番号


class Reach(StrEnum):
    """Whom a restriction protects when it names a debtor and no single claim."""

    CLAIM = "claim"  # the debtor's claims, or the one it names; other people are not touched
    DEBTOR = "debtor"  # the debtor, even when it names one claim
    HOUSEHOLD = "household"  # everybody who shares the home or the telephone
    PHONE = "phone"  # one telephone number, whoever stands behind it


@dataclass(frozen=True, slots=True)
class RestrictionRule:
    """One row of the closed table."""

    kind: RestrictionKind
    ja: str
    reach: Reach


#: 支援措置 protects the household: a call to the shared telephone can tell an abuser where
#: somebody is. Death, bankruptcy, a lawyer and welfare concern the whole person, and so does
#: a wish not to be called; deferrals and write-offs concern claims.
RULES: tuple[RestrictionRule, ...] = (
    RestrictionRule(RestrictionKind.EXECUTION_SUSPENDED, "執行停止", Reach.CLAIM),
    RestrictionRule(RestrictionKind.WRITTEN_OFF, "不納欠損", Reach.CLAIM),
    RestrictionRule(RestrictionKind.COLLECTION_DEFERRED, "徴収猶予", Reach.CLAIM),
    RestrictionRule(RestrictionKind.SEIZURE_DEFERRED, "換価猶予", Reach.CLAIM),
    RestrictionRule(RestrictionKind.INSTALMENT_PLEDGE, "分納誓約", Reach.CLAIM),
    RestrictionRule(RestrictionKind.LAWYER_ENGAGED, "弁護士委任", Reach.DEBTOR),
    RestrictionRule(RestrictionKind.BANKRUPTCY, "破産", Reach.DEBTOR),
    RestrictionRule(RestrictionKind.DECEASED, "死亡", Reach.DEBTOR),
    RestrictionRule(RestrictionKind.PROTECTION_MEASURE, "支援措置", Reach.HOUSEHOLD),
    RestrictionRule(RestrictionKind.NO_CALLS, "架電停止", Reach.DEBTOR),
    RestrictionRule(RestrictionKind.PUBLIC_ASSISTANCE, "生活保護受給", Reach.DEBTOR),
    RestrictionRule(RestrictionKind.HARDSHIP, "生活困窮", Reach.DEBTOR),
    RestrictionRule(RestrictionKind.REFERRED, "支援連携", Reach.DEBTOR),
    RestrictionRule(RestrictionKind.OPTED_OUT, "連絡停止の申出", Reach.PHONE),
    RestrictionRule(RestrictionKind.WRONG_PERSON, "本人でない番号", Reach.PHONE),
    RestrictionRule(RestrictionKind.INVALID_NUMBER, "番号無効", Reach.PHONE),
)

BY_KIND: dict[RestrictionKind, RestrictionRule] = {rule.kind: rule for rule in RULES}


def kinds_reaching(reach: Reach) -> list[str]:
    """The kinds with this reach, as stored."""
    return [rule.kind.value for rule in RULES if rule.reach is reach]
