"""A whole corpus: any table or folder in, the same rows with themes and summaries out."""
