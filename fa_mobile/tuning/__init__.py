"""Which exact rewrites each runtime gains from, measured on this machine."""
