"""What keeps the program running for years: backup, restore, upgrade, doctor, retention, logs."""
