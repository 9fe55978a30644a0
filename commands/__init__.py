"""The commands of cli.py by subject, and what each begins with."""
