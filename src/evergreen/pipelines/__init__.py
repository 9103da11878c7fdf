"""Wiring: one package a pipeline."""
