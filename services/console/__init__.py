"""Console: the control room, read models across the services, a web page, a live feed."""
