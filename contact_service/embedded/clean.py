"""``python -m contact_service.embedded.clean``: remove the embedded servers' data.

For ``make clean``. Data that an unprivileged server could not reach in the state folder lie
elsewhere, so that removing the folder alone would leave them behind.
"""

from __future__ import annotations

import sys

from contact_service.embedded.process import CannotStart
from contact_service.embedded.servers import remove_state
from contact_service.settings import settings

if __name__ == "__main__":
    try:
        # the demo's servers have a state folder of their own inside
        for lock in settings().state_dir.rglob("servers.lock"):
            remove_state(lock.parent)
    except CannotStart as running:
        sys.exit(str(running))
