"""How good a checkpoint or a bundle is."""
