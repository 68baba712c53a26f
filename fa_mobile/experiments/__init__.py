"""The paper's experiments: trainings that differ in one thing, measured on the same captures."""
