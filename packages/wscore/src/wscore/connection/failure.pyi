"""What ends a connection that this side gives up on; only the other compiled modules can use it."""
