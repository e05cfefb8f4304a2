"""Bodies of known measures, photographed without a camera, and measured again."""
