"""Takes phone numbers, e-mail addresses and long id numbers out of free text before it is stored.

The markers are data, not screen text: they stand in the stored text, whatever the language shown.
"""

from __future__ import annotations

import re

PHONE, EMAIL, PAPER = "[số điện thoại]", "[email]", "[số giấy tờ]"
MAX_LENGTH = 8000  # letters kept of one text

_EMAIL = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
# 0912 345 678, +84-912-345-678, (0203) 3825.123; a date like 01-02-2024 10:11 is none
_PHONE_VN = re.compile(
    r"(?<![\d.,])(?!\d{1,2}[-./]\d{1,2}[-./]\d{4})\(?(?:\+?84|0)(?:\)?[ .\-]{0,2}\(?\d){8,10}\)?(?!\d)"
)
_PHONE_US = re.compile(r"(?<![\d.,])(?:\+?1[ .\-]?)?(?:\(\d{3}\) ?|\d{3}[ .\-])\d{3}[.\-]\d{4}(?!\d)")
# 12 digits, also in threes: an identity card even when it starts with 0 like a phone
_CARD = re.compile(r"(?<![\d.,])(?:\d{12}|\d{3}(?: \d{3}){3})(?!\d)")
# old identity card (9 digits), passport and account numbers; money (100.000.000) and coordinates are left
_PAPER = re.compile(r"(?<![\d.,])\d{9,}(?!\d)|(?<![\d.,])\d{3} \d{3} \d{3}(?!\d)")


def redact(text: str) -> str:
    """The text with phones, e-mails and numbers of 9 or more digits replaced by markers, cut to MAX_LENGTH.

    >>> redact("Gọi 0912 345 678 hoặc a@b.vn, CCCD 022084001234")
    'Gọi [số điện thoại] hoặc [email], CCCD [số giấy tờ]'
    """
    shorter = text[:MAX_LENGTH]
    shorter = _EMAIL.sub(EMAIL, shorter)
    if not any(letter.isdigit() for letter in shorter):
        return shorter
    shorter = _CARD.sub(PAPER, shorter)
    shorter = _PHONE_US.sub(PHONE, _PHONE_VN.sub(PHONE, shorter))
    return _PAPER.sub(PAPER, shorter)
