"""The JSON that callers of older services read: the Node back end's, and the 2D service's."""
