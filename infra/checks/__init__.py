"""What `make test-infra` checks: locks, container files, known vulnerabilities, and the tests that need tools.

Nothing here builds an image, starts a container or speaks with a cluster.
"""
