"""A cluster of this machine, to which rendered services are deployed."""
