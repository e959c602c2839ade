"""HTTP in, HTTP out: talks to the domain, never to an adapter."""
