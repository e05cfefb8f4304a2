"""PHALP (Rajasegaran et al. 2022): who is who by predicted appearance, pose and location."""
