"""Stylesheet, script and mark of the pages."""

from watchword.web.answers import file_answer, json_answer
from watchword.web.exchange import Exchange
from watchword.web.wire import Answer

_FOR_GOOD = "public, max-age=31536000, immutable"


async def static_file(exchange: Exchange) -> Answer:
    """Answer a file; under its current version it may be kept for good."""
    asset = exchange.renderer.static_file(exchange.path.rpartition("/")[2])
    if asset is None:
        return json_answer({"error": "not_found"}, status=404)
    cache = _FOR_GOOD if exchange.query.get("v") == asset.version else "no-cache"
    headers = {"cache-control": cache, "etag": f'"{asset.version}"'}
    return file_answer(asset.content, media_type=asset.media_type, headers=headers)
