"""What other programs talk to: /api, /ingest, /live, health and metrics. Thin: figures come from City, rows land by Sync."""
