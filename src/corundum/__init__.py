"""corundum."""
