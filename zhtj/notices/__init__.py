"""Notices (通知): messages to members and organisations, reminders, digests, and what goes out by mail and robot."""
