"""A platform to rehearse on: git over HTTP, a build on push, releases, dynos, a router and the Platform API.

It does what Heroku is documented to do, on this machine and for one app, so that `make deploy` runs unchanged
against it. Its answers have the shapes of the Platform API.
"""
