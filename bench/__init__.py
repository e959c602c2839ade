"""How fast, small and soon there the rendered service is, beside what is possible at all."""
