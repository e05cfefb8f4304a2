"""HMR 2.0 (Goel et al. 2023): a picture of a person to SMPL's parameters and a crop camera."""
