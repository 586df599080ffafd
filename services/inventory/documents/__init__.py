"""What inventory can be asked for on paper: records of destructions."""
