"""Pictures of the result, drawn without OpenGL."""
