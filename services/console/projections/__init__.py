"""What the console reads: sites, boxes, letters and incidents of all services."""
