"""What leaves on paper: the leaders' week as PDF and workbook, written from the same Weekly as the screen; its archive and its sending."""
