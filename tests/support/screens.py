"""Opens pages in headless Chromium and prints the problems of each screen as JSON.

Runs in an environment with Playwright and Pillow, which only this needs. Arguments: the path of
Chromium, the widths, the colour schemes, and the files of the pages.
"""

import io
import json
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

MEASURE = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
HEIGHTS = {360: 740, 768: 1024, 1280: 800}
OPTIONS = ["--no-sandbox", "--disable-dev-shm-usage"]
BLANK_COLOURS = 16
"""An area with at most that many colours is blank: smooth letters have more."""


def is_blank(png: bytes) -> bool:
    """Return whether an image has hardly any colours."""
    with Image.open(io.BytesIO(png)) as image:
        return image.convert("RGB").getcolors(BLANK_COLOURS) is not None


def problems(page: Page, file: Path) -> list[str]:
    """Return the problems of a page, which must load without errors."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(f"error: {error}"))
    page.on("requestfailed", lambda request: found.append(f"not loaded: {request.url}"))
    page.goto(file.as_uri())
    found += page.evaluate(MEASURE)
    if is_blank(page.screenshot()):
        found.append("blank screen")
    for number, picture in enumerate(page.locator("svg").all()):
        if picture.is_visible() and is_blank(picture.screenshot()):
            found.append(f"blank picture {number}")
    return found


def main(chromium: str, widths: str, schemes: str, *files: str) -> None:
    """Print the width, the scheme, the page and its problems for each screen."""
    screens = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        for width in map(int, widths.split(",")):
            for scheme in schemes.split(","):
                context = browser.new_context(
                    viewport={"width": width, "height": HEIGHTS[width]},
                    is_mobile=width == min(HEIGHTS),
                    color_scheme=scheme,
                )
                for file in map(Path, files):
                    page = context.new_page()
                    screens.append((width, scheme, str(file), problems(page, file)))
                    page.close()
                context.close()
        browser.close()
    print(json.dumps(screens))


if __name__ == "__main__":
    main(*sys.argv[1:])
