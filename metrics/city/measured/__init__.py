"""What stations measure: now, over time, against limits."""
