"""Running a bundle on this machine. Nothing here imports torch before a bundle needs it."""
