"""Analyse Vietnamese articles: which governance themes they are about, and the reasons."""
