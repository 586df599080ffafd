"""What custody answers: units, consignments, incidents, seals, forecast, figures."""
