"""What fills the pages: one module per page, plain handlers and one wiring table with a permission on every row."""
