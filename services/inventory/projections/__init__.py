"""Read models of inventory: disposable, rebuilt from the events at any time."""
