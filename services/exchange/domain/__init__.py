"""The rules of the exchange, pure: agencies, letters, supplements, coverage, notices."""
