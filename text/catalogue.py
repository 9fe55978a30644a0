"""Shown strings by dotted key, from locales/<lang>.toml. Loaded once, on first use, never at import."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("vi", "en")  # the first is the default


def locale_path(lang: str) -> Path:
    """The file that holds the strings of one language."""
    return Path(__file__).parent / "locales" / f"{lang}.toml"


@cache
def catalogue(lang: str) -> Mapping[str, str]:
    """All strings of one language as {dotted key: template}. Raises ValueError for an unknown language."""
    if lang not in LANGUAGES:
        raise ValueError(f"unknown language {lang!r}; there are: {', '.join(LANGUAGES)}")
    return dict(_flatten(tomllib.loads(locale_path(lang).read_text(encoding="utf-8"))))


def t(key: str, lang: str, /, **values: object) -> str:
    """The string behind a dotted key, `{name}` placeholders filled from values.

    Raises KeyError naming key and file when the key is unknown, or the placeholder that has no value.
    """
    template = catalogue(lang).get(key)
    if template is None:
        raise KeyError(f"no text {key!r} in text/locales/{lang}.toml")
    if "{" not in template:
        return template
    try:
        return template.format_map(values)
    except KeyError as missing:
        raise KeyError(f"text {key!r} of text/locales/{lang}.toml needs a value for {missing}") from None


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        elif isinstance(value, str):
            yield prefix + name, value
        else:
            raise TypeError(f"text {prefix + name!r} must be a string, not {type(value).__name__}")
