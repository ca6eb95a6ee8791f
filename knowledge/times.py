"""Times: the validity of facts as ISO 8601 texts that sort in their order.

A text that stops early ("2009", "2009-01") means its beginning. Validity is half open: from ≤ t < until.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from ..core.errors import UnderstudyError

_DAY = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")

# A fact's validity within a query; the place is the time that is asked for, an :func:`instant`.
VALID = "(f.valid_from = '' OR f.valid_from <= ?) AND (f.valid_until = '' OR f.valid_until > ?)"


def moment(given: str | date, *, where: str | None = None) -> str:
    """A date or time as a text: ``2009``, ``2009-01``, ``2009-01-20`` or, with a time, in UTC to the second.

    Args:
        given: an ISO 8601 text, a date or a datetime; "" stays "". A time without zone is taken as UTC.
        where: what an error names as its place.

    Raises:
        UnderstudyError: when the text is no such date.
    """
    if given == "":
        return ""
    try:
        if isinstance(given, datetime):
            return _utc(given)
        if isinstance(given, date):
            return given.isoformat()
        text = given.strip()
        if _DAY.fullmatch(text):
            date.fromisoformat(text + "0000-01-01"[len(text) :])
            return text
        return _utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        mend = "write 2009, 2009-01-20 or 2009-01-20T12:00:00Z"
        raise UnderstudyError(f"not a date or time: {given!r}", where=where, mend=mend) from None


def instant(given: str | date) -> str:
    """The time that is asked for, to the second: a time of any length compares with it as text.

    Raises:
        UnderstudyError: when it is no date or time.
    """
    text = moment(given)
    if not text:
        raise UnderstudyError("no date or time is given", mend="write 2009, 2009-01-20 or 2009-01-20T12:00:00Z")
    return text + "0000-01-01T00:00:00Z"[len(text) :]


def _utc(time: datetime) -> str:
    zoned = time if time.tzinfo is not None else time.replace(tzinfo=UTC)
    return zoned.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
