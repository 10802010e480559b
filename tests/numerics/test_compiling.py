"""The garbage collector pauses while functions are traced, and is afterwards as it was."""

import gc
import threading

import equinox as eqx
import jax.numpy as jnp
import pytest

from corundum.numerics.compiling import collection_paused, compiled


def test_collection_pauses_while_a_function_is_traced_alone():
    enabled = []

    @compiled
    def doubled(x):
        enabled.append(gc.isenabled())  # runs while the function is traced
        return 2.0 * x

    assert float(doubled(jnp.array(3.0))) == 6.0
    assert float(doubled(jnp.array(4.0))) == 8.0
    assert enabled == [False] and gc.isenabled()


def test_an_error_inside_lets_collection_go_on():
    @compiled
    def refused(x):
        raise ValueError("halos: got none")

    with pytest.raises(ValueError, match="got none"):
        refused(jnp.array(1.0))
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        with collection_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_of_several_threads_the_last_one_ends_the_pause():
    inside, leave = threading.Event(), threading.Event()

    def other():
        with collection_paused():
            inside.set()
            leave.wait(30.0)

    thread = threading.Thread(target=other)
    with collection_paused():
        thread.start()
        assert inside.wait(30.0)
    assert not gc.isenabled()  # the other thread is still inside
    leave.set()
    thread.join()
    assert gc.isenabled()


def test_methods_can_be_compiled():
    class Line(eqx.Module):
        slope: float

        @compiled
        def __call__(self, x):
            return self.slope * x

    assert float(Line(2.0)(jnp.array(3.0))) == 6.0
