"""Lessons on the public API; run them and make pages of them: python -m notebooks FOLDER."""
