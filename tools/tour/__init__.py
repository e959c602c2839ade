"""The tour: twelve steps, each with a bug in a rendered service that the learner fixes."""
