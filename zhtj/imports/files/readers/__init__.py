"""One reader for each format; they run in a process of their own, see ``zhtj.imports.files.unpack``."""
