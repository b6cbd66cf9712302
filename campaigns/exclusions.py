"""Who is never contacted, whatever a definition says. The ledger's restrictions decide."""

from __future__ import annotations

from collections.abc import Mapping

#: Restriction → what staff call it, in Japanese and English.
ALWAYS_EXCLUDED: Mapping[str, tuple[str, str]] = {
    "execution_suspended": ("執行停止", "execution suspended"),
    "collection_deferred": ("徴収猶予", "collection deferred"),
    "seizure_deferred": ("換価猶予", "seizure deferred"),
    "instalment_pledge": ("分納誓約", "paying by agreed instalments"),
    "lawyer_engaged": ("弁護士委任", "represented by a lawyer"),
    "bankruptcy": ("破産", "bankrupt"),
    "deceased": ("死亡", "deceased"),
    "protection_measure": ("支援措置", "under protection (domestic violence)"),
    "no_calls": ("架電停止", "not to be called"),
    "public_assistance": ("生活保護受給", "on public assistance"),
    "hardship": ("生活困窮", "in hardship"),
    "referred": ("支援連携", "referred to a support desk"),
    "opted_out": ("連絡停止の申出", "asked not to be contacted"),
    "wrong_person": ("本人でない番号", "number of somebody else"),
    "invalid_number": ("番号無効", "number not in use"),
}
