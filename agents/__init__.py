"""Roles, their messages, and the agents that play them."""
