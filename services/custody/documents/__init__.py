"""What custody can be asked for on paper: records of hand-overs (BAST), consignment notes."""
