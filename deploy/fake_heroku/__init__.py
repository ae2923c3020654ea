"""A fake Heroku for one app on this machine, so that `make deploy` can be tested without an account.

It serves git over HTTP with a build on push, releases, a web dyno, a router and the Platform API calls that deploy/
makes, with the documented behaviour and response shapes.
"""
