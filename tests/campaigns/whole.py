"""A definition that uses everything the language has."""

from __future__ import annotations

from tests.campaigns.mutation import mutated

_TEXTS = {
    "ja": "【{office}】お伝えしたいことがあります。{centre_phone}へお電話ください。{hours-note}"
    "お済みの場合は行き違いですのでご容赦ください。送信専用です。",
    "ja-easy": "【{office}】大切なお知らせがあります。{centre_phone}に電話してください。"
    "もう終わった人は、行き違いです。送信専用です。",
    "en": "{office}: We have a message for you. Please call {centre_phone}. If you have already "
    "done so, please disregard this. Please do not reply.",
    "zh": "{office}：有事相告，请致电{centre_phone}。如已办理，请忽略本信息。请勿回复。",
    "ko": "{office}: 알려드릴 내용이 있습니다. {centre_phone}로 전화해 주십시오. 이미 처리하셨다면 "
    "양해 바랍니다. 발신 전용입니다.",
    "vi": "{office}: Chúng tôi có thông tin muốn báo. Xin gọi {centre_phone}. Nếu quý vị đã làm "
    "rồi, xin bỏ qua. Xin đừng trả lời tin nhắn này.",
}

WHOLE = mutated(
    "  days_since_due: {min: 1} ",
    "  any:\n"
    "    - instalment_plans: [broken]\n"
    "    - limitation_months_left: {max: 18}\n"
    "      limitation_age_months: {min: 12}\n"
    "    - languages: [en, ja-easy]\n"
    "    - letter_contacts: {max: 0}\n"
    "  days_since_due: {min: 1} ",
)
WHOLE = mutated(
    "hours:\n",
    "lift:\n"
    "  - {exclusion: public_assistance, reason: 返還金の相談のため、生活保護の担当課と合わせて連絡する}\n"
    "\n"
    "hours:\n"
    "  sessions:\n"
    "    - {on: 2026-11-29, opens: 09:00, closes: 16:00, title: 日曜納付相談}\n"
    "    - {on: 2026-11-27, opens: 17:00, closes: 20:00}\n"
    "  closed_on: [2026-11-24]\n",
    WHOLE,
)
WHOLE = mutated(
    "caps:\n",
    "quiet: {after_conversation_days: 7, after_promise_days: 3, after_payment_days: 14}\n"
    "call_backs: {per_half_hour: 12, expected_rate: {sms: 0.12, auto_call: 0.06}}\n"
    "\n"
    "caps:\n",
    WHOLE,
)
WHOLE = mutated(
    "      - {on: no_answer, after: 2 h, most: 2}\n",
    "      - {on: no_answer, after: 2 h, part_of_day: another, most: 2}\n"
    "    most_tries: 4\n"
    "    best_hour: true\n"
    "    only_after: {sms-1: [delivered, undelivered]}\n"
    "    payment: {paid: false, since: sms-1}\n"
    "    fallback: {on: [no_answer, unreachable], channel: sms, message: please-call, after: 1 days}\n",
    WHOLE,
)
WHOLE = mutated(
    "messages:\n",
    "  - name: letter\n"
    "    channel: letter\n"
    "    arms: [sms_call]\n"
    "    start: {from: demand, after_days: 3, after_working_days: 5, at: 09:00}\n"
    "    unless_after: {call-1: [confirmed, transferred]}\n"
    "    expires_after_days: 10\n"
    "    message: letter\n"
    "  - name: year-end\n"
    "    channel: sms\n"
    "    arms: [sms]\n"
    "    start: {from: date, on: 2026-12-10, at: 10:00}\n"
    "    only: [delivered]\n"
    "    expires_after_days: 7\n"
    "    message: many\n"
    "\n"
    "messages:\n"
    "  letter: |-\n"
    "    {office} 催告書\n"
    "    {kinds}（{fiscal_years} {instalments}）の未納額は{debtor_outstanding_yen}です。\n"
    "    {pay_convenience_store} 行き違いの際はご容赦ください。{centre_phone}\n"
    "  many:\n" + "".join(f'    {language}: "{text}"\n' for language, text in _TEXTS.items()),
    WHOLE,
)
WHOLE = mutated(
    "scripts:\n",
    "snippets:\n"
    "  hours-note: 受付は平日9時から17時です。\n"
    "  pay_convenience_store: 同封の納付書でお支払いください。\n"
    "\n"
    "scripts:\n",
    WHOLE,
)
WHOLE = mutated(
    "say: おつなぎします。そのままお待ちください。",
    'say: "{kinds}の担当におつなぎします。"',
    WHOLE,
)
