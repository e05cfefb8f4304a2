"""The frozen JSON shapes that the Node back end reads; only `web` imports them."""
