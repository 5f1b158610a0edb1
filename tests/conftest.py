"""What all tests share."""

import custom_components  # noqa: F401  Found here, before the test package's own of that name.
