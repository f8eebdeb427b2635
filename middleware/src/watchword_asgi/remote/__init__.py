"""What is fetched from the provider: metadata, keys, userinfo, tokens. Cached, one request at a time."""
