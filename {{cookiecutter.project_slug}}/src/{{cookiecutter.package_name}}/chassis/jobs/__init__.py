"""Jobs: tasks, the queue in PostgreSQL, and the worker process."""
