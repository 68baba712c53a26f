"""Captures to a sensor profile: the noise (a, b) of frames at several gains, and regressions."""
