"""The way in: what is advised, asked and checked before an application starts, and its first moment."""
