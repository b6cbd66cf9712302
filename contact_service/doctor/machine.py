"""What the doctor looks at on this machine: files, clock, the numbering plan."""

from __future__ import annotations

import shutil
import stat
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from importlib.metadata import version

import phonenumbers

from contact_service.clock import TOKYO, SystemClock, clock_from
from contact_service.doctor.findings import Finding, Level, words
from contact_service.settings import Settings
from contact_service.store.crypto import load_vault

LEAST_DISK, LITTLE_DISK = 200_000_000, 2_000_000_000
"""Free bytes below which the state folder's disk is too full, or soon will be."""
NEWEST_MOBILE_RANGE = "+816012345678"
"""A number of the 060 range, in use from July 2026: an old numbering plan refuses it."""


def state_folder(settings: Settings) -> Iterator[Finding]:
    """Whether the state folder can be written to and has room."""
    folder = settings.state_dir.resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free
    except OSError as error:
        yield Finding(
            "state folder",
            Level.WRONG,
            f"{folder}: {words(error)}",
            "書き込める場所を CONTACT_STATE_DIR に指定してください / "
            "set CONTACT_STATE_DIR to a folder that the service may write to",
        )
        return
    level = Level.WRONG if free < LEAST_DISK else Level.NOTE if free < LITTLE_DISK else Level.OK
    remedy = "ディスクの空きを増やしてください / make room on the disk"
    detail = f"{folder}, {free / 1e9:.1f} GB free"
    yield Finding("state folder", level, detail, "" if level is Level.OK else remedy)


def keys(settings: Settings) -> Iterator[Finding]:
    """Whether the encryption keys are there, can be used, and are for their owner only."""
    path = settings.keys_path.resolve()
    try:
        vault = load_vault(path)
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        yield Finding(
            "keys",
            Level.NOTE,
            f"{path}: not there",
            "初回起動時に作られます。既存データがあるなら鍵を戻してください / made at first start; "
            "if there are data already, put their keys back",
        )
        return
    except (OSError, KeyError, ValueError) as error:
        yield Finding(
            "keys",
            Level.WRONG,
            f"{path}: {type(error).__name__}",
            "鍵ファイルを読めません。控えから戻してください / the keys file cannot be used: "
            "restore it from its copy",
        )
        return
    if mode & 0o077:
        yield Finding(
            "keys",
            Level.WRONG,
            f"{path}: {mode:04o}",
            f"他の利用者が読めます。chmod 600 {path} / others can read it: chmod 600 {path}",
        )
    else:
        count = len(vault.keys)
        yield Finding("keys", Level.OK, f"{path}: {count} key(s), current {vault.current}")


def clock(settings: Settings) -> Iterator[Finding]:
    """Which clock the service goes by, and whether Tokyo's time zone is known."""
    try:
        now = clock_from(settings.clock).now()
    except (OSError, ValueError, KeyError) as error:
        yield Finding(
            "clock",
            Level.WRONG,
            words(error),
            "CONTACT_CLOCK を system にしてください / set CONTACT_CLOCK to system",
        )
        return
    driven = settings.clock != "system"
    yield Finding(
        "clock",
        Level.NOTE if driven else Level.OK,
        f"{'driven' if driven else 'system'}, {now:%Y-%m-%d %H:%M:%S %Z}",
        "練習用の時計です。本番では CONTACT_CLOCK を system に / a clock for exercises: in "
        "production set CONTACT_CLOCK to system"
        if driven
        else "",
    )
    if SystemClock().now().astimezone(TOKYO).utcoffset() != timedelta(hours=9):
        yield Finding(
            "time zone",
            Level.WRONG,
            "Asia/Tokyo ≠ UTC+9",
            "OS の tzdata を入れ直してください / reinstall the system's tzdata",
        )


def numbers(_: Settings) -> Iterator[Finding]:
    """Whether the numbering plan knows Japan's newest mobile range."""
    number = phonenumbers.parse(NEWEST_MOBILE_RANGE)
    mobile = phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
    yield Finding(
        "numbering plan",
        Level.OK if mobile else Level.WRONG,
        f"phonenumbers {version('phonenumbers')}",
        ""
        if mobile
        else "060 の携帯番号を知りません。9.0 以降に更新してください / "
        "it does not know the 060 mobile range: update it to 9.0 or newer",
    )


def office(settings: Settings) -> Iterator[Finding]:
    """Whether messages can say who sends them, and calls can be put through."""
    number = settings.office_phone
    try:
        valid = phonenumbers.is_valid_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        valid = False
    if valid and settings.office_name.strip():
        yield Finding("office", Level.OK, f"{settings.office_name}, {number}")
    else:
        yield Finding(
            "office",
            Level.WRONG,
            f"{settings.office_name or '-'}, {number or '-'}",
            "CONTACT_OFFICE_NAME と CONTACT_OFFICE_PHONE（+81…）を設定してください / "
            "set CONTACT_OFFICE_NAME and CONTACT_OFFICE_PHONE (+81…)",
        )
