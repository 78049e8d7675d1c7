"""Forms: several ways to compute one op, equal in value and different in speed; `choose` picks one."""
