"""Letters as documents: what they say, in what form, rendered once they have their number."""
