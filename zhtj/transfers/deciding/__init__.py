"""What is decided about an application that runs, one step at a time, and what that brings."""
