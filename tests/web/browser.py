"""A person at a browser without JavaScript: follows redirects, keeps cookies, fills in forms."""

from __future__ import annotations

import http.client
import re
from dataclasses import dataclass, field
from html import unescape
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit


@dataclass
class Browser:
    """``status``, ``path`` and ``page`` are what is on the screen; ``answer`` is of
    :meth:`send_once`."""

    address: str
    cookies: dict[str, str] = field(default_factory=dict)
    status: int = 0
    path: str = ""
    page: str = ""
    answer: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def open(self, path: str) -> Browser:
        """Go somewhere."""
        return self._go("GET", path, None)

    def send(self, path: str, **fields: str) -> Browser:
        """Send a form, with the hidden token of the page on the screen."""
        found = re.search(r'name="form_token" value="([^"]+)"', self.page)
        token = {"form_token": found[1]} if found else {}
        return self.post(path, token | fields)

    def post(
        self, path: str, fields: dict[str, str], headers: dict[str, str] | None = None
    ) -> Browser:
        """Send exactly these fields."""
        return self._go("POST", path, urlencode(fields), headers)

    def send_once(self, path: str, fields: dict[str, str]) -> Browser:
        """Send a form with the token of the page on the screen, which stays there: the answer's
        status and page are kept, no redirect is followed."""
        kept = self.page
        found = re.search(r'name="form_token" value="([^"]+)"', kept)
        token = {"form_token": found[1]} if found else {}
        self._ask("POST", path, urlencode(token | fields), None)
        self.answer, self.page = self.page, kept
        return self

    def post_raw(self, path: str, body: str) -> Browser:
        """Send exactly this body as a form."""
        return self._go("POST", path, body)

    def send_file(self, path: str, name: str, content: bytes, **fields: str) -> Browser:
        """Send a form with a file, with the hidden token of the page on the screen."""
        found = re.search(r'name="form_token" value="([^"]+)"', self.page)
        fields = ({"form_token": found[1]} if found else {}) | fields
        parts = [
            f'--limit\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
            for field, value in fields.items()
        ]
        file = f'--limit\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        body = "".join([*parts, file]).encode() + content + b"\r\n--limit--\r\n"
        kind = {"Content-Type": "multipart/form-data; boundary=limit"}
        return self._go("POST", path, body, kind)

    def fetch(self, path: str) -> tuple[int, bytes]:
        """A file: its status and content, as they come."""
        where = urlsplit(self.address)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection.request("GET", path, headers={"Cookie": cookies})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    def _go(
        self,
        method: str,
        path: str,
        body: str | bytes | None,
        headers: dict[str, str] | None = None,
    ) -> Browser:
        for _ in range(5):
            self._ask(method, path, body, headers)
            if self.status != 303:
                return self
            method, path, body = "GET", self.headers["location"], None
        raise AssertionError(f"redirected in a circle, at last to {path}")

    def _ask(
        self, method: str, path: str, body: str | bytes | None, headers: dict[str, str] | None
    ) -> None:
        where = urlsplit(self.address)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        sent = {"Accept": "text/html"} | (headers or {})
        if body is not None:
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        self.status, self.path, self.page = answer.status, path, unescape(answer.read().decode())
        self.headers = {name.lower(): value for name, value in answer.getheaders()}
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                for key, morsel in SimpleCookie(value).items():
                    self.cookies[key] = morsel.value
        connection.close()
