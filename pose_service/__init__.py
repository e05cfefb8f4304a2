"""Pictures and clips of people in, 3D bodies out, over HTTP."""

__version__ = "0.1.0"
