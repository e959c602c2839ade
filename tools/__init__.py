"""What the Makefile, the tests and the benchmark of the template share."""
