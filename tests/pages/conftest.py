from collections.abc import Iterator

import pytest

from tests.pages.gallery import gallery, served
from tests.support.browser import chromium
from watchword.locale import load_catalogues
from watchword.pages.brand import Brand
from watchword.pages.render import Pages

__all__ = ["chromium"]


@pytest.fixture(scope="package")
def base() -> Iterator[str]:
    """Where the gallery of pages is."""
    brand = Brand(support_url="/help", privacy_url="/privacy", terms_url="/terms")
    with served(gallery(Pages(brand, load_catalogues()))) as address:
        yield address
