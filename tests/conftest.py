"""Shared test set-up: double precision and two CPU devices, as the command line sets them."""

import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_num_cpu_devices", 2)
