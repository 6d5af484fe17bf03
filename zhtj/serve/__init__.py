"""Turns a bare machine into a running installation: system packages, the embedded queue, the supervisor."""
