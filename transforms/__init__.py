"""newsbeam's PTransforms: thin, each calls the domain in newsbeam/. `pipelines/graph.py` puts them together."""
