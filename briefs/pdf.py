"""The brief as PDF: A4, tagged (PDF/UA-1), fonts embedded, text selectable. WeasyPrint sets it; nothing is fetched."""

from __future__ import annotations

import threading
from typing import Any

from briefs.brief import Brief
from briefs.paper import html_of

APT = "apt-get install --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-core"
_one_at_a_time = threading.Lock()  # setting pages takes a core and memory: two readers' papers come one after the other


class NoTypesetter(RuntimeError):
    """A library the PDF needs is not on this machine; the message says how to get it."""


def pdf_of(brief: Brief, lang: str) -> bytes:
    """The PDF of a brief. Raises NoTypesetter, naming the command that installs what is missing."""
    weasyprint = _typesetter()
    with _one_at_a_time:
        fetcher = weasyprint.urls.URLFetcher(allowed_protocols=("data",))
        page = weasyprint.HTML(string=html_of(brief, lang), url_fetcher=fetcher)
        return bytes(page.write_pdf(pdf_variant="pdf/ua-1"))


def _typesetter() -> Any:
    try:
        import weasyprint  # here: it loads Debian's Pango, which a machine that prints nothing need not have
    except (ImportError, OSError) as fault:
        raise NoTypesetter(f"a PDF needs libraries that are missing here ({fault.__class__.__name__}). As root: {APT}") from fault
    return weasyprint
