"""How alike two people's textures look."""
