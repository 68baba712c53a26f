"""Pairs of a noisy and a clean capture of one scene (arXiv 2103.01524, section 3.5)."""
