"""Fits to several populations at once, such as samples of halos that are counted at several redshifts."""
