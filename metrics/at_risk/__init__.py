"""Will an open dossier miss its due date? History, features of a past instant, a ridge logistic model, and how it is judged.

Pure numpy: no SQL, no clock, no words. Everything about an instant is made of what was known at that instant.
"""
