"""What may go wrong over HTTP, by name."""

from __future__ import annotations

import gzip

from tests.providers.wire import (
    Behaviour,
    answer,
    close_unanswered,
    endless,
    hang,
    reset_mid_answer,
    reset_unanswered,
    trickle,
)

NESTED = b"[" * 100_000
SWELLS = answer(
    200, gzip.compress(b" " * 8 * 1024 * 1024 + b"{}"), headers={"Content-Encoding": "gzip"}
)

#: After these the contact may have been taken: the carrier had the whole request.
MAY_HAVE_BEEN_TAKEN: dict[str, Behaviour] = {
    "500 after accepting": answer(500, {"message": "oops"}),
    "503 from a proxy": answer(503, b"<html>", content_type="text/html"),
    "redirect": answer(307, b"", headers={"Location": "http://127.0.0.1:9/"}),
    "408, which says nothing certain": answer(408, {}),
    "hang after accepting": hang,
    "an answer by drops": trickle,
    "reset before the answer": reset_unanswered,
    "closed before the answer": close_unanswered,
    "reset mid-body": reset_mid_answer(201),
    "malformed JSON": answer(201, b'{"sid": "SM'),
    "JSON of another shape": answer(201, ["taken"]),
    "JSON without an identifier": answer(201, {}),
    "no body": answer(201, b""),
    "not UTF-8": answer(201, b'{"sid": "\xff\xfe"}'),
    "wrong content type": answer(200, b"<html>taken</html>", content_type="text/html"),
    "huge body": endless(201),
    "a small body that swells": SWELLS,
    "JSON nested beyond reason": answer(201, NESTED),
}

#: No usable answer to a question: ask again later.
NO_USABLE_ANSWER: dict[str, Behaviour] = {
    "401": answer(401, {"message": "no"}),
    "429": answer(429, {}),
    "500": answer(500, {}),
    "404 without the carrier's own words": answer(404, b"<html>", content_type="text/html"),
    "reset": reset_unanswered,
    "hang": hang,
    "malformed JSON": answer(200, b"{"),
    "another shape": answer(200, [1]),
    "wrong content type": answer(200, b"<html>", content_type="text/html"),
    "huge body": endless(200),
    "a small body that swells": SWELLS,
    "JSON nested beyond reason": answer(200, NESTED),
    "a redirect": answer(302, b"", headers={"Location": "http://127.0.0.1:9/"}),
}
