"""What bundles cost: interleaved timing, memory, operators, roofline and the regression gate."""
