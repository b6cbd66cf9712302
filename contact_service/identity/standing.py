"""Whether whoever asked for longer work may still have it done, when a worker takes it up."""

from __future__ import annotations

from sqlalchemy import text

from contact_service.bootstrap import Service
from contact_service.domain.actors import Actor
from contact_service.store.jobs import CannotBeDone

TOKEN = "token:"
GONE = (
    "頼んだ人の利用（トークン）が停止されたため、行いませんでした。必要なら、ほかの人が頼み直して"
    "ください / not done: the account or token that asked for it was ended meanwhile"
)
CHANGED = (
    "頼んだ人の役割か所管課が変わったため、行いませんでした。必要なら頼み直してください / "
    "not done: the role or office of whoever asked for it has changed meanwhile"
)

_ACCOUNT = text("""
SELECT role, office, disabled_at IS NULL AS stands FROM user_account WHERE name = :name
""")
_TOKENS = text("""
SELECT role, office, revoked_at IS NULL AND expires_at > clock_timestamp() AS stands
FROM api_token WHERE label = :name
""")


def check(service: Service, actor: Actor) -> None:
    """See that an actor of before is still who they were. A name without an account is that of
    somebody at a shell, and believed as there. Raises :class:`CannotBeDone`."""
    asked = _TOKENS if actor.name.startswith(TOKEN) else _ACCOUNT
    with service.engine.connect() as connection:
        rows = connection.execute(asked, {"name": actor.name.removeprefix(TOKEN)}).all()
    if not rows and asked is _ACCOUNT:
        return
    standing = [row for row in rows if row.stands]
    if not standing:
        raise CannotBeDone(GONE)
    if (actor.role.value, actor.office) not in {(row.role, row.office) for row in standing}:
        raise CannotBeDone(CHANGED)
