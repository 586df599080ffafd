"""The national run: a whole country's boxes in the stores, projected, and asked for."""
