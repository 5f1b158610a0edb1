"""Groups behind wires that misbehave, with Home Assistant in front of them."""
