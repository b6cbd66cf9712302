"""The media process alone, for tests: ``python -m tests.providers.sip.run_media OPTIONS``."""

from __future__ import annotations

import json
import sys

from providers.sip.door import serve
from providers.sip.options import SipOptions
from tests.providers.sip.service import now

if __name__ == "__main__":
    serve(
        SipOptions.model_validate(json.loads(sys.argv[1])), now, lambda: print("ready", flush=True)
    )
