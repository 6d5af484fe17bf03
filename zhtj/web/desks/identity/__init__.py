"""Identity and files on the desks."""
