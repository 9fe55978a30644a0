"""How things look: pure functions from values to Dash components and frames. Knows no SQL and no request."""
