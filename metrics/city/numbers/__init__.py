"""What every KPI, series and form is made of and answers."""
