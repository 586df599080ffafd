"""Exchange: who was told what, what they answered, what they did: agencies, letters, notices."""
