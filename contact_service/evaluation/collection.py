"""Collection rate (収納率) and outstanding (収入未済額), by office and kind.

Current and carried over are never added up. What is neither collected nor outstanding was
written off or reduced (不納欠損・減額), as the claims file has it.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Connection

from campaigns.vocabulary import ClaimKind, LegalClass, Period
from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor, require
from contact_service.domain.dates import fiscal_year
from contact_service.evaluation.counts import Counts, Row
from contact_service.evaluation.disclosure import hide_small
from contact_service.evaluation.report import READERS
from contact_service.store import audit

#: Which office (所管課) keeps which kind of claim; named after its field.
OFFICES: dict[ClaimKind, tuple[str, str]] = {
    ClaimKind.RESIDENT_TAX: ("納税担当課", "residents' tax office"),
    ClaimKind.HEALTH_INSURANCE: ("国保・後期高齢担当課", "health insurance office"),
    ClaimKind.LATE_ELDERLY_INSURANCE: ("国保・後期高齢担当課", "health insurance office"),
    ClaimKind.CARE_INSURANCE: ("介護保険担当課", "care insurance office"),
    ClaimKind.NURSERY_FEE: ("保育担当課", "nursery office"),
    ClaimKind.SCHOOL_LUNCH: ("学校給食担当課", "school lunch office"),
    ClaimKind.STUDENT_LOAN: ("教育総務担当課", "education office"),
    ClaimKind.SINGLE_PARENT_LOAN: ("子ども家庭担当課", "family office"),
    ClaimKind.WELFARE_REPAYMENT: ("生活支援担当課", "welfare office"),
    ClaimKind.OTHER: ("その他の所管課", "other offices"),
}
DEFINITIONS: dict[str, dict[str, str]] = {
    "rate": {
        "ja": "収納率 = 収入済額 ÷ 調定額。現年分（基準日の年度に調定）と滞納繰越分は合算しない",
        "en": "collection rate = collected ÷ assessed; current (assessed in the fiscal year of the "
        "day) and carried over are never pooled",
    },
    "outstanding": {
        "ja": "収入未済額 = 調定額 − 収入済額 − 不納欠損額等",
        "en": "outstanding = assessed − collected − written off or reduced",
    },
    "written_off": {
        "ja": "不納欠損額等 = 調定額 − 収入済額 − 未納額（取込ファイルの未納額から逆算。"
        "不納欠損と減額は区別できない）",
        "en": "written off or reduced = assessed − collected − outstanding, worked out from the "
        "claims file, which does not tell the two apart",
    },
    "scope": {
        "ja": "台帳にある債権（取り込んだ滞納一覧）だけの率。滞納にならず完納された債権を含まない"
        "ため、決算の収納率とは一致しない",
        "en": "of the claims in the ledger (the arrears files imported) only: claims that never "
        "fell into arrears are missing, so it is not the rate of the settled accounts",
    },
}
_SUMS = ("claims", "assessed_yen", "collected_yen", "outstanding_yen", "written_off_yen", "rate")


def collection(service: Service, actor: Actor) -> Row:
    """The figures, with their definitions and the SQL behind them; small numbers withheld.

    Raises :class:`NotAllowed`.
    """
    require(actor, *READERS)
    at = service.clock.now()
    with service.engine.begin() as connection:
        found = _figures(connection, at.date(), service.settings.disclosure_threshold)
        audit.record(connection, at, actor, "report.collection", at.date().isoformat())
    return {"as_of": at.date().isoformat(), **found}


def _figures(connection: Connection, day: date, threshold: int) -> dict[str, Any]:
    counts = Counts(connection)
    rows = []
    for row in counts.rows("collection", this_year=fiscal_year(day)):
        ja, en = OFFICES[ClaimKind(row["kind"])]
        gone = row["assessed_yen"] - row["collected_yen"] - row["outstanding_yen"]
        rate = row["collected_yen"] / row["assessed_yen"] if row["assessed_yen"] else None
        rows.append({**row, "office": {"ja": ja, "en": en}, "written_off_yen": gone, "rate": rate})
    kinds, classes = list(ClaimKind), list(LegalClass)
    rows.sort(key=lambda row: (list(Period).index(row["period"]), kinds.index(row["kind"]),
                               classes.index(row["legal_class"])))  # fmt: skip
    return {
        "definitions": DEFINITIONS,
        "rows": hide_small(rows, "debtors", _SUMS, threshold),
        "sources": counts.asked,
    }
