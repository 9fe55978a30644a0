"""Lists of rows: the one filter grammar, orders, counts, pages, names."""
