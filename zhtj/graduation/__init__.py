"""Graduation (毕业): marks, conversion and the season register that all rates are counted from."""
