"""Pages of ours, as browsers send their forms."""

import re
from html import unescape

import httpx

ACTION = re.compile(r'<form method="post" action="([^"]*)">')
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


def pressed(page: httpx.Response, **fields: str) -> tuple[str, dict[str, str]]:
    """Give where a page's form is sent, and its hidden fields with what the person filled in."""
    action = ACTION.search(page.text)
    assert action, page.text
    hidden = {name: unescape(value) for name, value in HIDDEN.findall(page.text)}
    return action[1], hidden | fields
