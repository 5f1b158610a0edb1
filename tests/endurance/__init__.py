"""What Home Assistant does to the integration over the days, in a short time."""
