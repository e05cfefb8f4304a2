"""The only place with devices and threads: weights, the model hub, the owner of the nets."""
