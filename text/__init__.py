"""Every shown string and how values are written: t(key, lang), formats, Vietnamese folding and order.

It knows no KPI, no store, no Dash: it turns keys and values into text.
"""

from text.catalogue import LANGUAGES, t

__all__ = ["LANGUAGES", "t"]
