"""What the tests share: the real process, servers, stores, measurements."""
