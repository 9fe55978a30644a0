"""Indicators: periodic figures that arrive finished, from CSV files and Excel workbooks."""
