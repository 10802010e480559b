"""Jobs that bring a whole model, or its laws, near to data."""
