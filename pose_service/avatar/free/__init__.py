"""The free body fitted to landmarks, outline, height and weight."""
