"""What numbers and rows mean: signals, risks, hot spots, bottlenecks, duplicates, what coincides."""
