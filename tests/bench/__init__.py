"""How fast Kawal is beside what a user could take instead: `make bench`. No test judges a speed."""
