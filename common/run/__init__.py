"""Runs the DAG, holds its numbers against committed ones, keeps them."""
