"""Commands of every service: `run` returns an exit code, `add_options` declares arguments."""
