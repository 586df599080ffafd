"""What the control room reads."""
