"""Real-noise datasets of other people, each read in its own format into one common form."""
