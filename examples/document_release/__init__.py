"""`document_release`: a document is looked at in chunks, people decide, it is released or held."""
