"""Things to try newsbeam with."""
