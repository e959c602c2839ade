"""What takes long: experiments with the real service, each with a figure to reach."""
