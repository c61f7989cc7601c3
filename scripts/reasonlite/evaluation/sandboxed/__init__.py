"""Programs that run inside the sandbox, each on its own: they import nothing of this library."""
