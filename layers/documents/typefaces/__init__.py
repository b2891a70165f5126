"""Typefaces for documents: DejaVu Sans, whose licence beside it lets it be shipped and embedded."""
