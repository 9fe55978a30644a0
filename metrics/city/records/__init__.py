"""One dossier or report, and lists of them: its clock, its history, what lies near it."""
