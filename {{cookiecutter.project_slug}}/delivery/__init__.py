"""What brings a release to those who use it: run by `make`, not part of the image."""
