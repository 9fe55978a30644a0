"""How /explore looks: its state in the address, table, chart, map, small multiples, and what readers keep of it."""
