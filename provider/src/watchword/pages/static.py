"""Stylesheet, script and mark of the pages."""

from starlette.responses import Response

from watchword.web.answers import json_answer
from watchword.web.exchange import Exchange

_FOR_GOOD = "public, max-age=31536000, immutable"


async def static_file(exchange: Exchange) -> Response:
    """Answer a file; under its current version it may be kept for good."""
    asset = exchange.renderer.static_file(exchange.path.rpartition("/")[2])
    if asset is None:
        return json_answer({"error": "not_found"}, status=404)
    cache = _FOR_GOOD if exchange.query.get("v") == asset.version else "no-cache"
    headers = {"cache-control": cache, "x-content-type-options": "nosniff", "etag": f'"{asset.version}"'}
    return Response(asset.content, headers=headers, media_type=asset.media_type)
