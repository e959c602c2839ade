"""One module per command: `run` does it and returns a status; `add_options` says what it takes."""
