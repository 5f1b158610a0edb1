"""What a poll costs: on the wire, in Home Assistant, and in patience."""
