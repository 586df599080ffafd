"""The rows of the table, one module each, in the order in which they are run."""
