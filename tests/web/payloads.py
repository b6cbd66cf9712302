"""What attackers type."""

from __future__ import annotations

#: What would be seen if one of them were believed: a table less, 9359, a script, a line of the log.
PAYLOADS = (
    "';DROP TABLE claim--",
    "{{1337*7}}${1337*7}",
    "<script>alert(1)</script>",
    'x\r\n{"event": "injected"}',
)
