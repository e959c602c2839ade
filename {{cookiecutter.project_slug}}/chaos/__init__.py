"""Experiments: the service under load, outages and slow clients."""
