"""What is known of people at large, whichever body model shows them."""

CHILD_BELOW_CM = 145.0
"""Below it a body is taken for a child's: fewer than one adult woman in 300 is as short."""

DENSITY_KG_M3 = 985.0
"""Of a whole body: tissue of about 1050 (Siri 1961, at 20 to 25 % of fat) with three to five litres
of air in the lungs. The free body's package takes 980."""
