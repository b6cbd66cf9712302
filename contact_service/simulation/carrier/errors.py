"""The carrier's refusals: Twilio's codes, HTTP statuses and words.

Codes as in Twilio's error and warning dictionary.
"""

from __future__ import annotations

from collections.abc import Mapping

#: code: (HTTP status, message)
REFUSALS: Mapping[int, tuple[int, str]] = {
    20001: (400, "Invalid parameter"),
    20003: (401, "Authentication Error - invalid username"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "Internal Server Error"),
    21201: (400, "No 'To' number is specified"),
    21205: (400, "Url parameter is required and must be an absolute http(s) address"),
    21211: (400, "Invalid 'To' Phone Number"),
    21213: (400, "'From' phone number is required or invalid"),
    21220: (400, "Call is not in a state that allows this"),
    21602: (400, "Message body is required"),
    21603: (400, "A 'From' phone number or a MessagingServiceSid is required"),
    21604: (400, "'To' phone number is required"),
    21606: (400, "The 'From' phone number is not a valid, message-capable number"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
}


class Refusal(Exception):
    """The request is refused; nothing was taken."""

    def __init__(self, code: int) -> None:
        self.code = code
        self.status, self.message = REFUSALS[code]
        super().__init__(f"{code}: {self.message}")

    def body(self) -> dict[str, object]:
        """The error as the API answers it."""
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
