# From an image to a release that can be verified.
