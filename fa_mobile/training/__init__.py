"""How checkpoints come to be: clean RAW from photos and RAW files, noise, loss, the loop."""
