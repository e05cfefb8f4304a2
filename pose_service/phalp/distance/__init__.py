"""How badly each detection fits each track: PHALP's cost, term by term."""
