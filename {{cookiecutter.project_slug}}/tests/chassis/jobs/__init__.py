"""Tests of jobs: the queue and the worker process."""
