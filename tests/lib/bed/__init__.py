"""The test bed: private containerds, local images, wire clients and leak checks."""
