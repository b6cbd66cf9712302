"""The settings in force and the versions that run, for a report."""

from __future__ import annotations

import platform
from importlib.metadata import version
from urllib.parse import urlsplit

from contact_service import __version__
from contact_service.settings import Settings

LIBRARIES = (
    "psycopg", "sqlalchemy", "alembic", "celery", "redis", "fastapi", "uvicorn", "twilio",
    "phonenumbers", "cryptography",
)  # fmt: skip
MASK = "********"


def configuration(settings: Settings) -> dict[str, str]:
    """Every setting as the environment names it, secrets masked; ``-`` is not set."""
    values = {name: getattr(settings, name) for name in Settings.model_fields}
    return {f"CONTACT_{name.upper()}": _shown(value) for name, value in values.items()}


def versions() -> dict[str, str]:
    """The service, Python, and the libraries that matter in a report of a fault."""
    found = {"contact-service": __version__, "python": platform.python_version()}
    return found | {name: version(name) for name in LIBRARIES}


def _shown(value: object) -> str:
    if value is None:
        return "-"
    text = str(value)  # a SecretStr hides itself
    if "://" not in text:
        return text
    address = urlsplit(text)
    # a password may also be a parameter of the address
    text = address._replace(query=MASK if address.query else "").geturl()
    return text.replace(f":{address.password}@", f":{MASK}@") if address.password else text
