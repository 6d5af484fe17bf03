"""Season policies (学社衔接政策): what changes by year and place, as typed data; the lowest domain room.

``model`` says which values there are, ``data/*.toml`` holds them layer by layer, ``layers`` puts them together,
``seasons`` chooses by day and organisation, ``destinations`` answers who may go where. ``rulebook`` is what all of
them cite.
"""
