"""Takes phones, e-mail addresses, id numbers and house numbers out of text before it is stored, however they are written.

The text is read folded (no accents, plain digits, nothing invisible) and cut as it was sent. Markers are data, not screen text: they
stand in the stored text whatever the language shown. What rules can and cannot find, measured: docs/privacy.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

PHONE, EMAIL, PAPER, HOME, PERSON = "[số điện thoại]", "[email]", "[số giấy tờ]", "[số nhà]", "[tên người]"
MARKERS = (PHONE, EMAIL, PAPER, HOME, PERSON)
MAX_LENGTH = 8000  # letters kept of one text
PASSES = 4  # what one pass cuts may lay bare what stood beside it

# ---- phones ---------------------------------------------------------------------------------------------------------
_ALONE = r"(?<!\d)(?<!\d[.,])"
_GAP = r"[ \t.\-_*()·•\u2013\u2014]{0,3}"
# sums of money and areas; a number that begins with 0 is one only when written in thousands
_NO_SUM = (
    r"(?!\+?(?:[1-9][\d .,]{5,20}|0\d{0,2}(?:\.\d{3})+) ?(?:d\b|dong\b|vnd|₫|trieu\b|ty\b|usd|\$|%|m2\b|m3\b|kwh\b))"
)
_NO_DATE = r"(?!\d{1,2}[-./]\d{1,2}[-./]\d{4}(?!\d))(?!\d{1,2}([-./])\d{1,2}\1\d{2}(?![-./]?\d))(?!0[.,]\d{5,}(?!\d))"
_PHONE_VN = (
    rf"{_ALONE}{_NO_SUM}{_NO_DATE}(?:\((?=\+?\d{{1,4}}\)))?(?:(?:\+|00)?{_GAP}84{_GAP}(?:\(?0\)?)?|[0o])"
    rf"{_GAP}[1-9](?:{_GAP}\d){{7,9}}(?!\d)"
)
_PHONE_ABROAD = rf"(?<![\d+]){_NO_SUM}(?:\+|00)[1-9](?:{_GAP}\d){{7,13}}(?!\d)"
_PHONE_US = rf"{_ALONE}(?:1[ .\-]?)?(?:\(\d{{3}}\) ?|\d{{3}}[ .\-])\d{{3}}[.\-]\d{{4}}(?!\d)"
_PHONE_WORDS = (
    r"\b(?:sdt|dtdd|dt|d\.t|so dt|dien thoai|so may|di dong|phone|tel|mobile|cell|zalo|viber|whatsapp|telegram|fax|lien he|call|so)"
)
_PHONE_TOLD = (
    rf"{_PHONE_WORDS}[ .:\-]{{0,3}}(?:co quan|nha|rieng)?[ .:\-]{{0,3}}(?:la |so |cua toi |cua em |me )?[ :]?"
    rf"(?P<cut>{_NO_SUM}(?!1[89]00)\+?\d(?:{_GAP}\d){{6,12}})(?!\d)"
)
_SPELT = r"(?:khong|mot|hai|ba|bon|tu|nam|lam|sau|bay|bẩy|tam|chin)"
_PHONE_SPELT = rf"\b{_SPELT}(?:[ ,.\-]{{1,3}}{_SPELT}){{8,11}}\b"

# ---- papers ---------------------------------------------------------------------------------------------------------
# yyyyMMddHHmm(ss) and seconds since 1970 are times and no ids: sources write their dates so
_NO_TIME = r"(?!(?:(?:19|20)\d{10}(?:\d\d)?|1[4-9]\d{8}(?:\d{3})?)(?!\d))"
_NO_HASH = r"(?<![0-9a-f][0-9a-f])"  # a run of digits inside a hexadecimal code
_CARD = (
    rf"{_ALONE}{_NO_SUM}{_NO_HASH}{_NO_TIME}(?:\d{{12}}|\d{{3}}([ .\-])\d{{3}}\1\d{{3}}\1\d{{3}}|\d{{4}}([ .\-])\d{{4}}\2\d{{4}}"
    rf"|0\d\d([ .\-])\d{{9}}|\d(?:[ .\-]{{1,2}}\d){{11}})(?!\d)(?![.,]\d)"
)
_LONG = (
    rf"{_ALONE}{_NO_SUM}{_NO_HASH}{_NO_TIME}(?:\d{{9,}}+|\d{{3}} \d{{3}} \d{{3}}|\d(?: \d){{8}})(?!\d)(?![ ]\d{{3}}\b)(?![0-9a-f]{{2}})"
)
_PAPER_WORDS = (
    r"\b(?:cccd|cmnd|cmtnd|cmt|cmnd/cccd|can cuoc(?: cong dan)?|chung minh(?: thu| nhan dan)?|giay to|dinh danh(?: ca nhan)?|ho chieu"
    r"|passport|id card|bhyt|bhxh|bao hiem(?: y te| xa hoi)?|ma so thue|mst|gplx|giay phep lai xe|bang lai|so tai khoan|stk|tai khoan)"
)
_PAPER_TOLD = (
    rf"{_PAPER_WORDS}(?: so| ma so| no\.?)?[ .:\-]{{0,3}}(?:la |cua toi |cua em |cu )?[ :]?"
    rf"(?P<cut>[a-z]{{0,2}} ?\d(?:{_GAP}\d){{6,15}})(?!\d)"
)
_PASSPORT = r"\b(?P<cut>[bcnp]\d{7,8})\b"

# ---- e-mail ---------------------------------------------------------------------------------------------------------
_EMAIL = (
    r"[\w.+%\-]{1,64} ?(?:@|\(at\)|\[at\]|\(a cong\)|\ba cong\b) ?[\w\-]{1,63}"
    r"(?: ?(?:\.|\(dot\)|\[dot\]|\bcham\b) ?[a-z][\w\-]{0,62}){1,4}"
)
_EMAIL_PLAIN = r"[\w.+%\-]{1,64}@[\w\-]{1,63}"

# ---- homes ----------------------------------------------------------------------------------------------------------
_NUMBER = r"\d{1,4}[a-z]?(?:(?:/|-)\d{1,4}[a-z]?){0,4}\b"
_ALLEY = rf"(?:[ ,]+(?:ngo|ngach|hem|kiet|nghach)(?: so)? {_NUMBER}){{1,3}}"
_STREET = r"(?:duong|pho|d\.|p\.|ngo|ngach|hem|kiet|dai lo|quoc lo|tinh lo|ql)"
_HOMES = (
    rf"\b(?:so nha|nha so|sn|s\.n)[ .:]{{0,2}}(?:so )?(?P<cut>{_NUMBER}(?:{_ALLEY})?)",
    rf"\bnha (?P<cut>{_NUMBER}(?:{_ALLEY})?)(?=[ ,]+(?:{_STREET}|thon|xom|ap|to|khu) )",
    rf"\b(?P<before>[a-z]+) so (?P<cut>{_NUMBER}{_ALLEY})",
    rf"(?:\b(?P<before>[a-z]+) )?\bso (?P<cut>{_NUMBER})(?=[ ,]+{_STREET}\b)",
    rf"(?:\b(?P<before>[a-z]+)[ :]{{1,2}})?(?<![\d/.\-])(?P<cut>\d{{1,4}}[a-z]?(?:/\d{{1,4}}[a-z]?){{1,4}})(?=[ ,]+(?:{_STREET})(?![a-z]))",
    rf"(?:\b(?P<before>[a-z]+)[ :]{{1,2}})?(?<![\d/.,\-:])(?P<cut>\d{{1,4}}[a-z]?(?:{_ALLEY})?)(?=,? (?:duong|pho|d\.) ?(?P<name>[a-z]))",
    rf"(?:\b(?P<before>[a-z]+)[ :]{{1,2}})?(?<![\d/.,\-:])(?P<cut>\d{{1,4}}[a-z]?{_ALLEY})",
    r"(?<![\d/.\-])(?P<cut>\d{1,4}[a-z]?(?:/\d{1,4}[a-z]?){2,4})(?=,? (?P<name>[a-z]))",
    r"\b(?:dia chi|d/c|dc|nha toi o|nha em o|nha o|toi o|em o|cu ngu(?: tai)?|nha rieng(?: o| tai)?|address)[ :\-]{1,3}"
    rf"(?:la |tai |so )?(?P<cut>{_NUMBER})(?=[ ,]+(?P<name>[a-z]))",
    r"\b(?:can ho|can ho so|apartment|apt)(?: so)? (?P<cut>[a-z]?\d{1,4}[a-z]?(?:[-./][a-z]?\d{1,4}[a-z]?){0,3}\b)",
    r"\b(?:phong|can) (?P<cut>[a-z]?\d{2,4}[a-z]?(?:[-.]\d{1,4})?)(?=,? (?:chung cu|toa|block|nha tro|ktx|ky tuc xa|khu tro))",
    r"(?<![\d.,])(?P<cut>\d{1,5}) (?:[nsew]\.? )?[a-z]{3,20} (?:street|st|avenue|ave|road|rd|lane|blvd|boulevard)\b",
)
_RESIDENCE = (
    r"\b(?:thuong tru|tam tru|cu tru|ho khau|dkhk|hktt|noi o(?: hien nay)?)(?: thuong tru)?(?: tai| o)?[ :\-]{1,3}"
    r"(?P<cut>[^.;\n()\[\]]{4,90})"
)
# words before "số 12 đường ..." or "12/5 đường ..." that make it something else than a house
_WORDS_NO_HOUSE = """
cot den dien tru tram cong ga xe tuyen bus buyt km quyet dinh van nghi thong luat bien phong truong hoc lop to khu doi diem chot nut
ngay toi sang trua chieu dem hom thang luc mung nam tu den qua duong pho lo ql ho hang kenh muong cua ban cay cau so hien co khoang
them va hon gan voi cac nhung moi hai ba bon tren duoi gom tong nhanh lan doan ca
"""
_NO_HOUSE = frozenset(_WORDS_NO_HOUSE.split())

# ---- people ---------------------------------------------------------------------------------------------------------
_SURNAMES = (
    "nguyen|tran|le|pham|hoang|huynh|phan|vu|vo|dang|bui|do|ho|ngo|duong|ly|dinh|doan|trinh|truong|mai|dao|luong|vuong|ha|cao|luu|tang"
    "|to|chu|ta|phung|quach|tong|kieu|la|thai|nong|trieu|lam|ma|be|hua|lo|giap|than|nghiem|lai|khuat|ninh|tu"
)
_NAME = rf"(?:{_SURNAMES})(?: [a-z]{{1,8}}){{1,4}}"
_PERSON_TOLD = (
    rf"\b(?:ong|ba|anh|chi|co|chu|bac|em|chau|cu|di|cau|ho ten|ho va ten|ten toi la|toi ten la|toi ten|toi la|nguoi gui|nguoi dan|chu ho"
    rf"|chu ho so|nguoi nop|nguoi phan anh|nguoi lien he|cong dan|can bo|dong chi|mr|mrs|ms)[ .:]{{1,3}}(?:la )?(?P<name>{_NAME})"
)


@dataclass(frozen=True)
class Rule:
    """One way a person shows in text. The group `cut`, else the whole match, becomes the marker.

    A group `before` must be no word of _NO_HOUSE; what a group `name` begins with must be a capital letter as sent. A text with
    fewer than `digits` digits, or none of `words`, cannot match: most texts are read by few rules.
    """

    marker: str
    pattern: re.Pattern[str]
    digits: int = 0
    words: tuple[str, ...] = ()


RULES = (
    Rule(EMAIL, re.compile(_EMAIL), words=("@", "(at)", "[at]", "a cong")),
    Rule(EMAIL, re.compile(_EMAIL_PLAIN), words=("@",)),
    Rule(PAPER, re.compile(_PAPER_TOLD), 7),
    Rule(PAPER, re.compile(_CARD), 12),
    Rule(PHONE, re.compile(_PHONE_VN), 8),
    Rule(PHONE, re.compile(_PHONE_US), 10),
    Rule(PHONE, re.compile(_PHONE_ABROAD), 8),
    Rule(PHONE, re.compile(_PHONE_TOLD), 7),
    Rule(PHONE, re.compile(_PHONE_SPELT), words=("khong", "chin")),
    Rule(PAPER, re.compile(_LONG), 9),
    Rule(PAPER, re.compile(_PASSPORT), 7),
    *(Rule(HOME, re.compile(pattern), 1) for pattern in _HOMES),
    Rule(HOME, re.compile(_RESIDENCE), words=(" tru", "ho khau", "hktt", "dkhk", "noi o")),
    Rule(PERSON, re.compile(_PERSON_TOLD)),
)
_WORTH = re.compile(r"\d|@|\bat\b|cham|khong|ong|ba |anh|chi|co |chu|bac|em |chau|cu |di |cau|ten|nguoi|dan|can bo|mr|ms|tru|o ")


def redact(text: str) -> str:
    """The text with phones, e-mails, ids, house numbers and names that follow a form of address replaced, cut to MAX_LENGTH.

    >>> redact("Gọi 0912 345 678 hoặc a@b.vn, CCCD 022084001234, số nhà 12 đường Lê Lợi")
    'Gọi [số điện thoại] hoặc [email], CCCD [số giấy tờ], số nhà [số nhà] đường Lê Lợi'
    """
    return _remembered(text) if len(text) <= 200 else _redacted(text[:MAX_LENGTH])


@lru_cache(maxsize=32_768)
def _remembered(text: str) -> str:
    return _redacted(text)


# an identity card (province, century and sex, year), a mobile or fixed telephone: no code a list of procedures or offices has
_PERSON_CODE = re.compile(r"0(?:0[1-9]|[1-8]\d|9[0-6])\d{9}|(?:\+?84|0)[1-9]\d{8,9}")


def redact_code(text: str) -> str:
    """A code as it is, unless it is a person's number or words: those are redacted."""
    is_words = "@" in text or (text != "" and text.split() != [text])
    return redact(text) if is_words or _PERSON_CODE.fullmatch(text) else text


def without(text: str, values: Iterable[str]) -> str:
    """The text without these values, written with or without accents, in whatever case."""
    for value in values:
        folded, places = _folded(text)
        wanted = _folded(value)[0].strip()
        for at in reversed([found.start() for found in re.finditer(re.escape(wanted), folded)] if wanted else []):
            end = at + len(wanted) - 1
            start, stop = (at, end + 1) if places is None else (places[at], places[end] + 1)
            text = text[:start] + PERSON + text[stop:]
    return text


def is_redacted(text: str) -> bool:
    """Does the text hold one of the markers?"""
    return any(marker in text for marker in MARKERS)


def _redacted(text: str) -> str:
    for _ in range(PASSES):
        after = _pass(text)
        if after == text:
            break
        text = after
    return text


def _pass(text: str) -> str:
    folded, places = _folded(text)
    if not _WORTH.search(folded):
        return text
    cuts = sorted(_cuts(text, folded, places))
    parts, end = [], 0
    for start, stop, marker in cuts:
        if start < end:
            continue
        parts += [text[end:start], marker]
        end = stop
    return "".join([*parts, text[end:]])


def _cuts(text: str, folded: str, places: list[int] | None) -> Iterator[tuple[int, int, str]]:
    """(start, stop, marker) in the text as sent; earlier rules win where two overlap."""
    taken = bytearray(len(folded))
    digits = sum(map(folded.count, "0123456789"))
    for rule in RULES:
        if digits < rule.digits or (rule.words and not any(word in folded for word in rule.words)):
            continue
        for found in rule.pattern.finditer(folded):
            start, stop = _span(found, text, folded, places)
            if start == stop or any(taken[start:stop]) or _in_marker(folded, start):
                continue
            taken[start:stop] = b"\1" * (stop - start)
            yield (start, stop, rule.marker) if places is None else (places[start], places[stop - 1] + 1, rule.marker)


def _span(found: re.Match[str], text: str, folded: str, places: list[int] | None) -> tuple[int, int]:
    """Where to cut in the folded text; an empty span when the match is none after all."""
    groups = found.groupdict()
    if groups.get("before") in _NO_HOUSE:
        return 0, 0
    if "name" not in groups:
        return found.span("cut" if groups.get("cut") else 0)
    name = found.start("name")
    if not _is_capital(text, name, places):
        return 0, 0
    if groups.get("cut"):
        return found.span("cut")
    end = name
    for word in re.finditer(r"[a-z]+", folded[name : found.end("name")]):
        if not _is_capital(text, name + word.start(), places):
            break
        end = name + word.end()
    return (name, end) if " " in folded[name:end] else (0, 0)


def _is_capital(text: str, at: int, places: list[int] | None) -> bool:
    return text[at if places is None else places[at]].isupper()


def _in_marker(folded: str, start: int) -> bool:
    """Is this inside a marker that stands there already?"""
    opened = folded.rfind("[", max(0, start - 20), start)
    return opened >= 0 and "]" not in folded[opened:start] and "]" in folded[start : start + 20]


class _Fold(dict[int, str | None]):
    """One letter to its plain form, worked out once: no accent, small, digits of any script as 0-9; invisible ones go."""

    def __missing__(self, code: int) -> str | None:
        letter = chr(code)
        if letter == "\n":
            plain: str | None = letter
        elif unicodedata.category(letter) in ("Cf", "Cc", "Mn", "Me"):
            plain = " " if letter in "\t\r\v\f" else None
        elif (digit := unicodedata.digit(letter, None)) is not None:
            plain = str(digit)
        elif letter.isspace():
            plain = " "
        else:
            bare = unicodedata.normalize("NFKD", letter)[:1].lower()
            plain = "d" if bare == "đ" else bare[:1]
        self[code] = plain
        return plain


_FOLD = _Fold()


def _folded(text: str) -> tuple[str, list[int] | None]:
    """The text as rules read it, and where each of its letters stands in the text as sent (None = at the same place)."""
    folded = text.translate(_FOLD)
    if len(folded) == len(text):
        return folded, None
    return folded, [place for place, letter in enumerate(text) if _FOLD[ord(letter)] is not None]
