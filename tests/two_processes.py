"""One of several processes that evolve a population together: python two_processes.py PORT PROCESSES INDEX OUT.npz."""

import sys

import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_num_cpu_devices", 2)


def main(port, processes, index, out):
    if processes > 1:
        jax.distributed.initialize(f"127.0.0.1:{port}", processes, index)
    import numpy as np

    import corundum as co

    halos = co.halos.monte_carlo(7)  # not a multiple of processes times devices
    galaxies = co.evolve(co.models.ThermalCGM(), halos, [0.0, 1.0], chunk=2)
    np.savez(out, states=np.stack(galaxies.state), steps=galaxies.steps)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
