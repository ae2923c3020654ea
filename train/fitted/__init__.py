"""A fitted model described without its library: preprocessing steps, a linear model or trees, and links.

`train/readers` describes fitted objects in these terms, `train/export` writes the description as a graph, and
`train/proof.py` compares the graph with the library's own answers. Only numpy is imported here.
"""
