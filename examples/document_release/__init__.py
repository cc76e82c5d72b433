"""Scans a document for sensitive data, asks for approval, and releases or holds the document."""
