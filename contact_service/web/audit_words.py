"""What was done, in words, for the audit log: every action that the service records."""

from __future__ import annotations

from collections.abc import Mapping

from contact_service.web.locale import translatable

#: By what it was done to; under each, the action's name and what it says to a reader. A new action
#: is a row here (``tests/web/test_records.py``).
ACTIONS: Mapping[str, Mapping[str, str]] = {
    translatable("納付者の検索・閲覧"): {
        "person.search": translatable("納付者を探した"),
        "person.open": translatable("納付者を開いた"),
        "person.disclosed": translatable("本人への開示書類を作った"),
        "person.shown": translatable("電話デスクで次の方を開いた"),
        "person.identified": translatable("本人と確かめた"),
        "person.given_back": translatable("開いた方を戻した"),
        "people.searched": translatable("電話に出て納付者を探した"),
        "person.listed": translatable("探して見つけた納付者を、伏せたまま見た"),
        "person.found": translatable("電話に出て探した納付者の氏名を見た"),
    },
    translatable("まとめての閲覧・出力"): {
        "bulk.ask": translatable("まとめての閲覧・出力を頼んだ"),
        "bulk.grant": translatable("まとめての閲覧・出力を許可した"),
        "bulk.refuse": translatable("まとめての閲覧・出力を許可しなかった"),
        "letters.handed_over": translatable("催告書のファイルを出した"),
        "letters.written_again": translatable("催告書のファイルをもう一度出した"),
        "audit.exported": translatable("監査記録を出力した"),
        "residents.export": translatable("見本の住民を書き出した"),
    },
    translatable("連絡の制限"): {
        "restriction.add": translatable("連絡しない方・番号を登録した"),
        "restriction.ask_to_lift": translatable("制限の解除を頼んだ"),
        "restriction.lift": translatable("制限を解除した"),
        "restriction.keep": translatable("制限を解除しなかった"),
        "restriction.lifted": translatable("訂正に伴い制限を解除した"),
        "restriction.kept": translatable("訂正の後も制限を残した"),
        "number.no_calls": translatable("番号への電話を止めた"),
    },
    translatable("ファイル"): {
        "intake.import": translatable("ファイルを取り込んだ"),
        "intake.rejects": translatable("エラーの行をダウンロードした"),
        "intake.show_rejected": translatable("エラーの行の値を見た"),
    },
    translatable("計画と実施"): {
        "draft.begin": translatable("計画を書き始めた"),
        "draft.discard": translatable("書きかけを捨てた"),
        "version.draft": translatable("版を作った"),
        "version.submit": translatable("版を提出した"),
        "version.send_back": translatable("版を差し戻した"),
        "version.approve": translatable("版を承認した"),
        "version.withdraw": translatable("版を取り下げた"),
        "run.schedule": translatable("日程に入れた"),
        "run.start": translatable("実施を始めた"),
        "run.refuse": translatable("実施を始めなかった"),
        "run.pause": translatable("実施を一時停止した"),
        "run.resume": translatable("実施を再開した"),
        "run.stop": translatable("実施を中止した"),
        "run.complete": translatable("実施が終わった"),
        "recording.add": translatable("録音の版を作った"),
        "recording.use": translatable("録音の版を使うことにした"),
        "test_message.refused": translatable("試し送信を断った（台帳にある番号）"),
        "test_message.ask": translatable("自分の電話に試しに送った"),
    },
    translatable("停止・再開"): {
        "switch.set": translatable("発信を止めた"),
        "switch.lift": translatable("発信を再開した"),
    },
    translatable("不明な結果の判断"): {
        "attempt.look": translatable("届いたかを事業者に聞いた"),
        "attempt.decide": translatable("届いたかを決めた"),
    },
    translatable("電話"): {
        "desk.state": translatable("電話デスクの状態を変えた"),
        "desk.talking": translatable("通話に移った"),
        "desk.wrapping_up": translatable("記録に移った"),
        "desk.telephone": translatable("自分の電話機を選んだ"),
        "call.placed": translatable("電話をかけた"),
        "call.not_connected": translatable("電話がつながらなかった"),
        "call.taken": translatable("着信を受けた"),
        "call.person_found": translatable("着信の相手を納付者と結んだ"),
        "calls.log": translatable("着信を記録した"),
        "message.done": translatable("返信への対応を済ませた"),
        "messages.read": translatable("返信を読んだ"),
        "disposition": translatable("折衝結果を記録した"),
        "support.texted": translatable("相談先をSMSで送った"),
        "referral.followed_up": translatable("支援連携を確かめた"),
        "result.read": translatable("折衝の内容を読んだ"),
        "result.corrected": translatable("折衝結果を訂正した"),
        "quality.drawn": translatable("会話の点検を抽出した"),
        "quality.reviewed": translatable("会話を点検した"),
        "work.reassigned": translatable("担当を替えた"),
    },
    translatable("報告書"): {
        "report.run": translatable("報告書を作った"),
        "report.read": translatable("報告書を読んだ"),
        "report.by_field": translatable("項目別に数えた"),
        "report.read_by_field": translatable("項目別の数を読んだ"),
        "report.rows": translatable("数えられた行を出した"),
        "report.collection": translatable("収納率を数えた"),
        "report.load": translatable("受電と架電の負荷を数えた"),
        "centre.load": translatable("センターの負荷を数えた"),
        "centre.shift": translatable("必要な席数を試算した"),
        "library.add": translatable("事例に加えた"),
    },
    translatable("サインイン"): {
        "session.opened": translatable("サインインした"),
        "session.refused": translatable("サインインを断られた"),
        "session.code_needed": translatable("パスワードは合ったが、確認コードがなかった"),
        "session.ended": translatable("サインアウトした"),
        "password.changed": translatable("パスワードを変えた"),
        "password.refused": translatable("今のパスワードを確かめられなかった"),
        "second_factor.set": translatable("確認コードを設定した"),
    },
    translatable("利用者の管理"): {
        "user.added": translatable("利用者を加えた"),
        "user.assigned": translatable("役割や所管課を変えた"),
        "user.reset": translatable("パスワードを初期化した"),
        "user.signed_out": translatable("利用者をサインアウトさせた"),
        "user.disabled": translatable("利用者を停止した"),
        "user.enabled": translatable("利用者を再開した"),
        "token.issued": translatable("APIのトークンを発行した"),
        "token.revoked": translatable("APIのトークンを取り消した"),
    },
    translatable("システムの管理"): {
        "keys.rotated": translatable("暗号の鍵を替えた"),
        "keys.index_rotated": translatable("検索用の鍵を替えた"),
        "keys.retired": translatable("暗号の鍵を外した"),
        "migrate": translatable("データベースを新しい形にした"),
        "retention.forgotten": translatable("保存期間の過ぎた記録を消した"),
        "hold.set": translatable("消さずに残すと決めた"),
        "hold.lifted": translatable("残す決まりを解いた"),
    },
}
WORDS: Mapping[str, str] = {
    action: words for each in ACTIONS.values() for action, words in each.items()
}
