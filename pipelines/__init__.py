"""Assembly: the graph, its options, batch and rounds, and the command line."""
