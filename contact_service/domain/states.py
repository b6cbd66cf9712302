"""The closed vocabularies of what can be the case."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from campaigns.vocabulary import Outcome


class VersionState(StrEnum):
    """Where a version of a definition is in its life (see ``domain.life``)."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"  # by somebody, or overtaken by a newer one


class RunState(StrEnum):
    """Where a run of an approved version is in its life (see ``domain.life``)."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class AttemptState(StrEnum):
    """Where an attempt is on its way.

    planned → leased → accepted → finished; leased → planned (provably not taken);
    leased → unknown → accepted | planned | finished (settled by asking);
    leased → finished (refused); planned → skipped (a re-check said no, or it expired).
    """

    PLANNED = "planned"
    LEASED = "leased"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    FINISHED = "finished"
    SKIPPED = "skipped"


class SkipReason(StrEnum):
    """Why a planned attempt was not made. Judged at the moment of leasing."""

    PAID = "paid"
    NUMBER_CHANGED = "number_changed"  # a newer file gives these people another number
    RESTRICTED = "restricted"
    ALREADY_REACHED = "already_reached"  # an earlier step had an outcome that makes it needless
    CONDITION = "condition"  # the step's conditions on earlier steps or payment do not hold
    QUIET = "quiet"  # a conversation, promise or payment too short a time ago
    CONTACT_CAP = "contact_cap"
    EXPIRED = "expired"
    STOPPED = "stopped"
    TRAINING_DATA = "training_data"  # sample or simulated people and a live carrier
    REAL_DATA = "real_data"  # real people and the simulated carrier


class ExclusionReason(StrEnum):
    """Why an assessed debtor is not in a run; the first that applies, in this order."""

    NOT_SELECTED = "not_selected"  # owes nothing that the definition selects
    RESTRICTED = "restricted"
    NO_NUMBER = "no_number"  # no usable telephone number
    AMOUNT = "amount"  # outside the definition's amount per debtor
    IN_ANOTHER_RUN = "in_another_run"  # never in two trials at once
    PERMANENT_HOLDOUT = "permanent_holdout"  # never contacted by any campaign, to measure all


EXCLUSION_JA: Mapping[ExclusionReason, str] = {
    ExclusionReason.NOT_SELECTED: "対象債権なし",
    ExclusionReason.RESTRICTED: "交渉制限",
    ExclusionReason.NO_NUMBER: "使える電話番号なし",
    ExclusionReason.AMOUNT: "金額が範囲外",
    ExclusionReason.IN_ANOTHER_RUN: "他の実施の対象",
    ExclusionReason.PERMANENT_HOLDOUT: "恒久対照群",
}

SKIP_JA: Mapping[SkipReason, str] = {
    SkipReason.PAID: "納付済",
    SkipReason.NUMBER_CHANGED: "番号の変更",
    SkipReason.RESTRICTED: "交渉制限",
    SkipReason.ALREADY_REACHED: "前の段階で接触済",
    SkipReason.CONDITION: "段階の条件に該当せず",
    SkipReason.QUIET: "静かな期間",
    SkipReason.CONTACT_CAP: "接触回数の上限",
    SkipReason.EXPIRED: "期限切れ",
    SkipReason.STOPPED: "停止",
    SkipReason.TRAINING_DATA: "訓練データ",
    SkipReason.REAL_DATA: "模擬事業者",
}


EXCLUSION_EN: Mapping[ExclusionReason, str] = {
    ExclusionReason.NOT_SELECTED: "owes nothing that was selected",
    ExclusionReason.RESTRICTED: "must not be contacted",
    ExclusionReason.NO_NUMBER: "no usable number",
    ExclusionReason.AMOUNT: "amount outside the range",
    ExclusionReason.IN_ANOTHER_RUN: "in another run",
    ExclusionReason.PERMANENT_HOLDOUT: "permanent holdout",
}

SKIP_EN: Mapping[SkipReason, str] = {
    SkipReason.PAID: "paid",
    SkipReason.NUMBER_CHANGED: "number changed",
    SkipReason.RESTRICTED: "must not be contacted",
    SkipReason.ALREADY_REACHED: "reached in an earlier step",
    SkipReason.CONDITION: "the step's conditions do not hold",
    SkipReason.QUIET: "quiet days",
    SkipReason.CONTACT_CAP: "contact cap",
    SkipReason.EXPIRED: "expired",
    SkipReason.STOPPED: "stopped",
    SkipReason.TRAINING_DATA: "training data",
    SkipReason.REAL_DATA: "simulated carrier",
}


class CallResult(StrEnum):
    """How one call in the call log ended."""

    TALKED = "talked"  # 通話
    ABSENT = "absent"  # 不在
    BUSY = "busy"  # 話中
    VOICEMAIL = "voicemail"  # 留守電
    WRONG_NUMBER = "wrong_number"  # 番号違い
    COMPLAINT = "complaint"  # 苦情: talked, and complained of being contacted
    ABANDONED = "abandoned"  # 放棄: an inbound caller hung up while waiting
    OTHER = "other"


CALL_RESULT_JA: Mapping[CallResult, str] = {
    CallResult.TALKED: "通話",
    CallResult.ABSENT: "不在",
    CallResult.BUSY: "話中",
    CallResult.VOICEMAIL: "留守電",
    CallResult.WRONG_NUMBER: "番号違い",
    CallResult.COMPLAINT: "苦情",
    CallResult.ABANDONED: "放棄",
    CallResult.OTHER: "その他",
}

#: How an auto-call's outcome stands in the call log.
CALL_RESULT_OF: Mapping[Outcome, CallResult] = {
    Outcome.CONFIRMED: CallResult.TALKED,
    Outcome.TRANSFERRED: CallResult.TALKED,
    Outcome.ANSWERED: CallResult.TALKED,
    Outcome.OPTED_OUT: CallResult.TALKED,
    Outcome.WRONG_PERSON: CallResult.WRONG_NUMBER,
    Outcome.INVALID_NUMBER: CallResult.WRONG_NUMBER,
    Outcome.MACHINE: CallResult.VOICEMAIL,
    Outcome.BUSY: CallResult.BUSY,
    Outcome.NO_ANSWER: CallResult.ABSENT,
    Outcome.UNREACHABLE: CallResult.ABSENT,
}


class DispositionKind(StrEnum):
    """折衝結果: what an operator concluded."""

    PROMISED = "promised"  # a promise to pay
    PAID_ALREADY = "paid_already"
    ABSENT = "absent"
    VOICEMAIL = "voicemail"
    BUSY = "busy"
    WRONG_NUMBER = "wrong_number"
    REFUSED = "refused"
    COMPLAINT = "complaint"  # of being contacted, or of how; not yet a wish for no more of it
    INSTALMENTS = "instalments"  # wants to pay in parts
    HARDSHIP = "hardship"
    DECEASED = "deceased"
    OPTED_OUT = "opted_out"
    CALLBACK = "callback"  # asks to be called again at another time
    DISPUTES = "disputes"  # says that the sum is not owed, or not in this amount
    LAWYER_ENGAGED = "lawyer_engaged"
    MOVED = "moved"  # somebody else at this number says that they moved away
    LANGUAGE_NEEDED = "language_needed"  # no common language: somebody else must talk


DISPOSITION_JA: Mapping[DispositionKind, str] = {
    DispositionKind.PROMISED: "納付約束",
    DispositionKind.PAID_ALREADY: "納付済との申出",
    DispositionKind.ABSENT: "不在",
    DispositionKind.VOICEMAIL: "留守電",
    DispositionKind.BUSY: "話中",
    DispositionKind.WRONG_NUMBER: "番号違い",
    DispositionKind.REFUSED: "拒否",
    DispositionKind.COMPLAINT: "苦情",
    DispositionKind.INSTALMENTS: "分納希望",
    DispositionKind.HARDSHIP: "生活困窮",
    DispositionKind.DECEASED: "死亡",
    DispositionKind.OPTED_OUT: "連絡停止の申出",
    DispositionKind.CALLBACK: "かけ直しの希望",
    DispositionKind.DISPUTES: "内容に異議",
    DispositionKind.LAWYER_ENGAGED: "弁護士等に委任",
    DispositionKind.MOVED: "転居・この番号にいない",
    DispositionKind.LANGUAGE_NEEDED: "通訳が必要",
}

DISPOSITION_EN: Mapping[DispositionKind, str] = {
    DispositionKind.PROMISED: "promise to pay",
    DispositionKind.PAID_ALREADY: "says it is paid",
    DispositionKind.ABSENT: "nobody answered",
    DispositionKind.VOICEMAIL: "voicemail",
    DispositionKind.BUSY: "busy",
    DispositionKind.WRONG_NUMBER: "wrong number",
    DispositionKind.REFUSED: "refused",
    DispositionKind.COMPLAINT: "complaint",
    DispositionKind.INSTALMENTS: "wants to pay in instalments",
    DispositionKind.HARDSHIP: "hardship",
    DispositionKind.DECEASED: "deceased",
    DispositionKind.OPTED_OUT: "wants no more contacts",
    DispositionKind.CALLBACK: "wants to be called back",
    DispositionKind.DISPUTES: "disputes the claim",
    DispositionKind.LAWYER_ENGAGED: "has engaged a lawyer",
    DispositionKind.MOVED: "moved, not at this number",
    DispositionKind.LANGUAGE_NEEDED: "needs an interpreter",
}

#: The outcome that finishes an operator's attempt.
OUTCOME_OF_DISPOSITION: Mapping[DispositionKind, Outcome] = {
    DispositionKind.PROMISED: Outcome.CONFIRMED,
    DispositionKind.PAID_ALREADY: Outcome.CONFIRMED,
    DispositionKind.ABSENT: Outcome.NO_ANSWER,
    DispositionKind.VOICEMAIL: Outcome.MACHINE,
    DispositionKind.BUSY: Outcome.BUSY,
    DispositionKind.WRONG_NUMBER: Outcome.WRONG_PERSON,
    DispositionKind.REFUSED: Outcome.CONFIRMED,
    DispositionKind.COMPLAINT: Outcome.CONFIRMED,
    DispositionKind.INSTALMENTS: Outcome.CONFIRMED,
    DispositionKind.HARDSHIP: Outcome.CONFIRMED,
    DispositionKind.DECEASED: Outcome.CONFIRMED,
    DispositionKind.OPTED_OUT: Outcome.OPTED_OUT,
    DispositionKind.CALLBACK: Outcome.ANSWERED,
    DispositionKind.DISPUTES: Outcome.CONFIRMED,
    DispositionKind.LAWYER_ENGAGED: Outcome.CONFIRMED,
    DispositionKind.MOVED: Outcome.WRONG_PERSON,
    DispositionKind.LANGUAGE_NEEDED: Outcome.ANSWERED,
}


class OperatorState(StrEnum):
    """What an operator at the desk is doing. Nobody is in a state who has no desk open."""

    FREE = "free"
    TALKING = "talking"
    WRAPPING_UP = "wrapping_up"  # after-call work
    ON_BREAK = "on_break"
    OTHER_WORK = "other_work"  # training, meetings, paper


OPERATOR_STATE_JA: Mapping[OperatorState, str] = {
    OperatorState.FREE: "受付中",
    OperatorState.TALKING: "通話中",
    OperatorState.WRAPPING_UP: "後処理中",
    OperatorState.ON_BREAK: "休憩中",
    OperatorState.OTHER_WORK: "他の業務中",
}


OPERATOR_STATE_EN: Mapping[OperatorState, str] = {
    OperatorState.FREE: "free",
    OperatorState.TALKING: "talking",
    OperatorState.WRAPPING_UP: "wrapping up",
    OperatorState.ON_BREAK: "on a break",
    OperatorState.OTHER_WORK: "at other work",
}


class IdentityProof(StrEnum):
    """本人確認: what the person on the telephone said without being prompted."""

    NAME_AND_BIRTH_DATE = "name_and_birth_date"
    NAME_AND_ADDRESS = "name_and_address"
    NAME_AND_NOTICE_NUMBER = "name_and_notice_number"


IDENTITY_PROOF_JA: Mapping[IdentityProof, str] = {
    IdentityProof.NAME_AND_BIRTH_DATE: "氏名と生年月日",
    IdentityProof.NAME_AND_ADDRESS: "氏名と住所",
    IdentityProof.NAME_AND_NOTICE_NUMBER: "氏名と通知書番号",
}

IDENTITY_PROOF_EN: Mapping[IdentityProof, str] = {
    IdentityProof.NAME_AND_BIRTH_DATE: "name and birth date",
    IdentityProof.NAME_AND_ADDRESS: "name and address",
    IdentityProof.NAME_AND_NOTICE_NUMBER: "name and notice number",
}


class InboundState(StrEnum):
    """Where an incoming call is on its way: waiting → taken → closed; waiting → call_back (nobody
    took it in time, or the caller asked for it) → taken → closed."""

    WAITING = "waiting"
    CALL_BACK = "call_back"
    TAKEN = "taken"
    CLOSED = "closed"


class PlacedCallResult(StrEnum):
    """What became of a call that was asked for by a click."""

    ASKED = "asked"  # on its way to the carrier; never asked for a second time
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class ReplyKind(StrEnum):
    """What somebody writes back, as far as it is understood."""

    STOP = "stop"  # wants no more contacts
    PAID = "paid"  # says that it is paid
    CALL_ME = "call_me"  # wants to be called
    OTHER = "other"  # an operator must read it


REPLY_JA: Mapping[ReplyKind, str] = {
    ReplyKind.STOP: "連絡停止の申出",
    ReplyKind.PAID: "納付済との申出",
    ReplyKind.CALL_ME: "電話の希望",
    ReplyKind.OTHER: "読み取れない返信",
}

REPLY_EN: Mapping[ReplyKind, str] = {
    ReplyKind.STOP: "wants no more contacts",
    ReplyKind.PAID: "says it is paid",
    ReplyKind.CALL_ME: "wants to be called",
    ReplyKind.OTHER: "not understood",
}


class QualityMark(StrEnum):
    """What a supervisor thinks of a conversation that was sampled."""

    GOOD = "good"
    COACH = "coach"  # to be talked over with the operator
    CORRECT = "correct"  # its result is wrong


QUALITY_JA: Mapping[QualityMark, str] = {
    QualityMark.GOOD: "よい",
    QualityMark.COACH: "本人と話す",
    QualityMark.CORRECT: "結果を訂正する",
}

QUALITY_EN: Mapping[QualityMark, str] = {
    QualityMark.GOOD: "good",
    QualityMark.COACH: "talk it over",
    QualityMark.CORRECT: "correct the result",
}
