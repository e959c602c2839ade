"""One module per backing service: the class that uses it, its ping, and how it is opened."""
