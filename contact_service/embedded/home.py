"""Where an embedded server lives: its folder, who owns it, and the program it runs.

PostgreSQL refuses to run as root, and nothing that listens should. Root therefore hands each
server to an unprivileged user, who must be able to reach its data and its program. Where they
lie below a private home, the data go to ``/var/tmp`` and the program is copied beside them:
opening the home's folders to everybody would be worse.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from contact_service.embedded.process import CannotStart, unprivileged_user

OUTSIDE = Path("/var/tmp")
"""Where data go that the unprivileged user could not reach in their proper place."""


class Home:
    """A folder that only the server's user can enter.

    ``user`` is whom the server runs as, ``None`` for ourselves; ``folder`` is where it is,
    which may differ from where it was wished.
    """

    def __init__(self, wished: Path) -> None:
        wished = wished.resolve()
        self.user = unprivileged_user()
        self.folder = wished
        if self.user is not None and not reachable(wished, self.user):
            mark = sha256(str(wished).encode()).hexdigest()[:12]
            self.folder = OUTSIDE / f"contact-service-{mark}"

    def make(self) -> None:
        """Make the folder, or check that the one there is ours. Raises :class:`CannotStart`."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ours = {os.geteuid()} | ({pwd.getpwnam(self.user).pw_uid} if self.user else set())
        if self.folder.is_symlink() or self.folder.stat().st_uid not in ours:
            raise CannotStart(
                f"{self.folder} は別の利用者のものです。削除するか CONTACT_STATE_DIR を変えて"
                "ください / is somebody else's: remove it, or set CONTACT_STATE_DIR to "
                "another folder"
            )
        self.folder.chmod(0o700)
        self._hand_over(self.folder)

    def secret(self) -> str:
        """The server's password, made at first and kept where only its user can read it."""
        path = self.folder / "password"
        if not path.exists():
            self.write(path.name, secrets.token_hex(24))
        return path.read_text()

    def write(self, name: str, text: str) -> Path:
        """Put a file there that only the server's user can read."""
        path = self.folder / name
        write_privately(path, text)
        self._hand_over(path)
        return path

    def program(self, package: str, distribution: str) -> Path:
        """The folder of an installed package, or of a copy that the server's user can reach.

        Copies of other versions are removed. Raises :class:`CannotStart`.
        """
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise CannotStart(
                f"{distribution} がインストールされていません / is not installed: make up"
            )
        installed = Path(spec.origin).resolve().parent
        if self.user is None or reachable(installed, self.user):
            return installed
        copy = self.folder / f"program-{version(distribution)}"
        for other in self.folder.glob("program-*"):
            if other != copy:
                shutil.rmtree(other)
        if not copy.exists():
            draft = copy.with_name(f"{copy.name}.{os.getpid()}")
            # the libraries' folder lies beside the package and is found relative to it
            for part in (installed, installed.with_name(f"{package}.libs")):
                if part.exists():
                    shutil.copytree(part, draft / part.name, symlinks=True)
            _open_up(draft)
            draft.rename(copy)
        return copy / package

    def remove(self) -> None:
        """Remove the folder with all that is in it; the server must not run."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _hand_over(self, path: Path) -> None:
        if self.user is not None:
            shutil.chown(path, self.user, pwd.getpwnam(self.user).pw_gid)


def write_privately(path: Path, text: str) -> None:
    """Write a file, whole or not at all, that only its owner can read."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def reachable(path: Path, user: str) -> bool:
    """Whether ``user`` may pass through every folder on the way to ``path``."""
    uid = pwd.getpwnam(user).pw_uid
    for folder in [path, *path.parents]:
        if not folder.is_dir():
            continue
        state = folder.stat()
        if not state.st_mode & (0o100 if state.st_uid == uid else 0o001):
            return False
    return True


def _open_up(tree: Path) -> None:
    """Let others read, and run what its owner may run: a strict umask may have installed it."""
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o444 | (0o111 if mode & 0o100 else 0))
