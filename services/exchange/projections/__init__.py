"""What the exchange reads: places to be secured (inventory), and its own letters and notices."""
