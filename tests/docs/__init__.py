"""The papers in ``docs``: their drawings, made from the code, and whether they say what is."""
